import { type Server } from 'node:http';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { InFlight } from '#database';
import { Problem } from '../problems/problem';
import { type RequestContext } from '../request-context';

const pollMs = 50;
/** How long the last events of streams that were cut short may take to be sent. */
const lastEventsMs = 1000;
/** A turn of the event loop that is shorter than this is quiet; a busy process does not wait for more turns than this. */
const QUIET_MS = 0.2;
const QUIET_TURNS = 200;

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

  get size(): number {
    return this.#running.size;
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
      await quietTurn();
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
    while (Date.now() < deadline) {
      // A request may just have arrived on a connection that is still open.
      if (this.#running.size === 0) await quietTurn();
      if (this.#running.size === 0) return;
      await sleep(pollMs);
    }
  }
}

/**
 * Waits for a moment at which the server has accepted all connections and read all requests. The kernel takes both before the
 * server does, and they are lost when the port and the connections are closed.
 */
async function quietTurn(): Promise<void> {
  // The present turn may be past the point where it would have accepted connections.
  await nextTurn();
  for (let turn = 0; turn < QUIET_TURNS; turn += 1) {
    const before = performance.now();
    // A turn of the event loop handles everything that is there. In a short one, hardly anything can have arrived since.
    await nextTurn();
    if (performance.now() - before < QUIET_MS) return;
  }
}
