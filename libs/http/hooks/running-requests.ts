import { type Server } from 'node:http';
import { setImmediate as acceptedConnections, setTimeout as sleep } from 'node:timers/promises';
import { InFlight } from '#database';
import { Problem } from '../problems/problem';
import { type RequestContext } from '../request-context';

const pollMs = 50;
/** How long the last events of streams that were cut short may take to be sent. */
const lastEventsMs = 1000;

/** The requests that have no complete response yet, and whether Tenkey is stopping. */
export class RunningRequests {
  readonly #running = new InFlight<RequestContext>();
  #isStopping = false;

  /** True once a stop has begun. Requests are still served, but each closes its connection. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  announceStop(): void {
    this.#isStopping = true;
  }

  add(request: RequestContext): void {
    this.#running.add(request);
  }

  delete(request: RequestContext): void {
    this.#running.delete(request);
  }

  /**
   * The hook of a stop: accepts no further connection and resolves when no request is left. Requests that still run after
   * `waitMs` are cancelled with a Problem as the reason.
   */
  finish(server: Server, waitMs: number): () => Promise<void> {
    return async () => {
      this.announceStop();
      // The kernel resets connections that it has established and the server has not accepted yet. At this point of the event
      // loop all of them are accepted.
      await acceptedConnections();
      server.close();
      await this.#emptyWithin(waitMs);
      const detail = 'Tenkey is stopping. Send the request again.';
      for (const request of this.#running.all)
        request.cancel(new Problem('upstream_unavailable', { detail }));
      await this.#emptyWithin(lastEventsMs);
      server.closeAllConnections();
    };
  }

  async #emptyWithin(waitMs: number): Promise<void> {
    const deadline = Date.now() + waitMs;
    while (this.#running.size > 0 && Date.now() < deadline) await sleep(pollMs);
  }
}
