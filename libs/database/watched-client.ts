import { Client, type ClientConfig } from 'pg';

/**
 * A class of connections that close when the server does not respond to a statement within `responseTimeoutMs`. On a broken
 * network a statement would wait forever, although the server has a timeout of its own. It now fails as when the
 * database is unavailable, and the pool opens another connection.
 */
export function watchedClient(responseTimeoutMs: number): typeof Client {
  return class WatchedClient extends Client {
    #timer: NodeJS.Timeout | undefined;

    constructor(config?: string | ClientConfig) {
      super(config);
      const stopTimer = () => {
        clearTimeout(this.#timer);
        this.#timer = undefined;
      };
      this.on('drain', stopTimer);
      this.on('end', stopTimer);
      const query = this.query.bind(this) as (...parts: unknown[]) => unknown;
      this.query = ((...parts: unknown[]) => {
        // While a statement is running, end() closes the socket without waiting for the server.
        // On a closed connection nothing clears the timer, so it must not keep the process alive; an open socket does.
        this.#timer ??= setTimeout(() => void this.end().catch(() => undefined), responseTimeoutMs).unref();
        return query(...parts);
      }) as Client['query'];
    }
  };
}
