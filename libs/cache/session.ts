import { connectionOptions, DatabaseClient } from '#database';
import { type Query } from './registry';

/** A connection that receives notifications. It does one thing at a time: it runs a statement, or waits. */
export class Session {
  readonly #client: DatabaseClient;
  readonly #responseMs: number;
  #lost: Error | undefined;
  /** Ends what the session is doing. */
  #interrupt: ((error: Error) => void) | undefined;
  #isRenewalDue = false;
  #wake: (() => void) | undefined;

  private constructor(client: DatabaseClient, responseMs: number, onNotification: (payload: string) => void) {
    this.#client = client;
    this.#responseMs = responseMs;
    client.on('error', (error) => this.#lose(error));
    client.on('end', () => this.#lose(new Error('the connection was closed')));
    client.on('notification', ({ payload = '' }) => onNotification(payload));
  }

  /**
   * @param responseMs how long a statement may take; after that the connection counts as lost
   * @param addresses gets the address at which the connection has reached the server
   * @throws when the database cannot be reached
   */
  static async open(
    url: string,
    { responseMs, addresses }: { responseMs: number; addresses: Set<string> | undefined },
    onNotification: (payload: string) => void,
  ): Promise<Session> {
    const client = new DatabaseClient({
      ...connectionOptions(url),
      application_name: 'tenkey-changes',
      keepAlive: true,
      addresses,
    });
    const session = new Session(client, responseMs, onNotification);
    try {
      await client.connect();
      // A crash of the server must not forget a registration, whatever the default of the database is.
      await session.query('set synchronous_commit = on', []);
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** @throws when the connection is lost */
  readonly query: Query = <Row>(statement: string, parameters: readonly unknown[]) =>
    this.#untilLost<Row[]>((resolve, reject) => {
      const late = setTimeout(
        () => this.#lose(new Error(`no response within ${this.#responseMs} ms`)),
        this.#responseMs,
      ).unref();
      this.#client
        .query(statement, [...parameters])
        .finally(() => clearTimeout(late))
        .then(({ rows }) => resolve(rows as Row[]), reject);
    });

  /**
   * Resolves when a renewal is due: after `ms`, or after `renewNow`.
   * @throws when the connection is lost
   */
  async nextRenewal(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.#untilLost<void>((resolve) => {
        if (this.#isRenewalDue) return resolve();
        this.#wake = resolve;
        timer = setTimeout(resolve, ms).unref();
      });
      this.#isRenewalDue = false;
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
  }

  /** Makes `nextRenewal` resolve at once. Several calls before the next renewal count as one. */
  renewNow(): void {
    this.#isRenewalDue = true;
    this.#wake?.();
  }

  /** @throws when the connection is lost */
  requireOpen(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  close(): void {
    this.#lose(new Error('the connection was closed'));
    void this.#client.end().catch(() => undefined);
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    this.#interrupt?.(this.#lost);
  }

  async #untilLost<T>(
    start: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
  ): Promise<T> {
    this.requireOpen();
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#interrupt = reject;
        start(resolve, reject);
      });
    } finally {
      this.#interrupt = undefined;
    }
  }
}
