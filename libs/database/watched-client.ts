import { Client, type ClientConfig } from 'pg';

/**
 * A class of connections that end when a statement has no answer within `answerWithinMs`. A connection that a network no
 * longer carries has none for ever, in spite of the server's own timeout: its statement then fails as that of a database
 * that is away, and the pool makes another.
 */
export function watchedClient(answerWithinMs: number): typeof Client {
  return class WatchedClient extends Client {
    #timer: NodeJS.Timeout | undefined;

    constructor(config?: string | ClientConfig) {
      super(config);
      const isAnswered = () => {
        clearTimeout(this.#timer);
        this.#timer = undefined;
      };
      this.on('drain', isAnswered);
      this.on('end', isAnswered);
      const query = this.query.bind(this) as (...parts: unknown[]) => unknown;
      this.query = ((...parts: unknown[]) => {
        // With a statement under way this closes the socket, without waiting for the server.
        // Of a connection that is gone nothing stops it, so it must not keep the process: a socket does that.
        this.#timer ??= setTimeout(() => void this.end().catch(() => undefined), answerWithinMs).unref();
        return query(...parts);
      }) as Client['query'];
    }
  };
}
