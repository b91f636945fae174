import { setTimeout as sleep } from 'node:timers/promises';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem';

const POLL_MS = 50;
/** For the last events of streams that were cut short to leave. */
const LAST_WORDS_MS = 1000;

/** The requests being answered: each knows when its client leaves, and a stop lets them end. */
export class RunningRequests {
  readonly #running = new Set<AbortController>();

  /** Gives the request its `gone` signal and counts it until its connection is done with it. */
  begin(request: FastifyRequest, reply: FastifyReply): void {
    const controller = new AbortController();
    request.gone = controller.signal;
    this.#running.add(controller);
    reply.raw.once('close', () => {
      this.#running.delete(controller);
      if (!reply.raw.writableFinished) controller.abort();
    });
  }

  /** Resolves when no request is left. Those that still run after `waitMs` are told to end, with a Problem as reason. */
  async end(waitMs: number): Promise<void> {
    await this.#emptyWithin(waitMs);
    const detail = 'Tenkey is being stopped. Send the request again.';
    for (const controller of this.#running) controller.abort(new Problem('upstream_unavailable', { detail }));
    await this.#emptyWithin(LAST_WORDS_MS);
  }

  async #emptyWithin(waitMs: number): Promise<void> {
    const deadline = Date.now() + waitMs;
    while (this.#running.size > 0 && Date.now() < deadline) await sleep(POLL_MS);
  }
}
