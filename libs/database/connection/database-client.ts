import { type Socket } from 'node:net';
import { Client, type ClientConfig, Connection } from 'pg';
import { noteFailedConnection } from '../database-errors';
import { isTlsFault } from './connection-fault';

export interface DatabaseClientConfig extends ClientConfig {
  /** Whether a connection without TLS follows when one with TLS cannot be made. */
  readonly fallsBack?: boolean;
  /** How long a statement waits for the server, in milliseconds. Not set: as long as it takes. */
  readonly responseTimeoutMs?: number | undefined;
  /** Asked whenever a statement has waited so long: whether it waits as long again. Absent: it does not. */
  readonly mayWaitLonger?: () => Promise<boolean>;
  /** Statements that run at the beginning of each transaction, in the same round trip. */
  readonly atBegin?: string;
  /** Gets each address at which a connection has reached the server. */
  readonly addresses?: Set<string> | undefined;
}

/** How long the end of a connection waits for the server. */
const END_MS = 1000;

/** What the types of node-postgres leave out. */
type WholeConnection = Connection & {
  connect(port: number | string, host?: string): void;
  cancel(processID: number, secretKey: unknown): void;
};

/** The fields of node-postgres that a second attempt to connect sets back, and with which a statement is cancelled. */
interface Internals {
  connection: WholeConnection;
  /** Null before the server has accepted the connection. */
  readonly processID: number | null;
  readonly secretKey: unknown;
  readonly connectionParameters: { ssl: unknown };
  ssl: unknown;
  _connecting: boolean;
  _connectionError: boolean;
  _ended: boolean;
}

/**
 * A connection of Tenkey. It has no start-up parameters but its name, because a pooler such as PgBouncer refuses others, and a
 * pooler that shares connections between transactions does not keep what a session sets. So the timeouts of the server are set
 * in each transaction, and a single statement is bounded here.
 *
 * A connection whose server does not respond in time closes: on a broken network a statement would wait forever, although the server
 * has a timeout of its own. It then fails as when the database is unavailable, and the pool opens another connection. If the server
 * can be reached, it ends the statement too.
 */
export class DatabaseClient extends Client {
  readonly #config: DatabaseClientConfig;
  #timer: NodeJS.Timeout | undefined;

  constructor(config: DatabaseClientConfig) {
    super(config);
    this.#config = config;
    const { responseTimeoutMs, atBegin } = config;
    const stopTimer = () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
    this.on('drain', stopTimer);
    this.on('end', stopTimer);
    // Between the pool, which hands a connection out, and TypeORM, which takes it, nobody listens: a connection that the server
    // ends in this moment would crash the process. The next statement on it fails, and then the pool removes it.
    this.on('error', () => undefined);
    const query = this.query.bind(this) as (...parts: unknown[]) => unknown;
    this.query = ((statement: unknown, ...parts: unknown[]) => {
      // A statement on a closed connection fails at once, and nothing would clear its timer.
      if (responseTimeoutMs !== undefined && !this.#stream.destroyed)
        this.#timer ??= this.#expireAfter(responseTimeoutMs);
      const isBegin = statement === 'START TRANSACTION' && atBegin !== undefined;
      return query(isBegin ? `${statement}; ${atBegin}` : statement, ...parts);
    }) as Client['query'];
  }

  override connect(): Promise<this>;
  override connect(callback: (error: Error) => void): void;
  override connect(callback?: (error: Error) => void): Promise<this> | void {
    if (callback === undefined) {
      return new Promise((resolve, reject) =>
        this.connect((error: Error | null) => (error ? reject(error) : resolve(this))),
      );
    }
    const done = (error: Error | null) => {
      if (error !== null) noteFailedConnection(error);
      const { remoteAddress } = this.#stream;
      if (error === null && remoteAddress !== undefined) this.#config.addresses?.add(remoteAddress);
      callback(error as Error);
    };
    super.connect((error: Error | null) => {
      if (error === null || !this.#config.fallsBack || !isTlsFault(error)) return done(error);
      this.#leaveTls();
      super.connect(done);
    });
  }

  /** Waits a limited time for the server, which may keep its side open, as after it has refused a certificate. */
  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | void {
    const timer = setTimeout(() => this.#destroy(), END_MS).unref();
    this.once('end', () => clearTimeout(timer));
    return callback === undefined ? super.end() : super.end(callback);
  }

  get #stream(): Socket {
    return (this as unknown as Internals).connection.stream as Socket;
  }

  #expireAfter(ms: number): NodeJS.Timeout {
    const timer = setTimeout(() => void this.#expired(timer, ms), ms).unref();
    return timer;
  }

  async #expired(timer: NodeJS.Timeout, ms: number): Promise<void> {
    const mayWait = await this.#config.mayWaitLonger?.().catch(() => false);
    // The response may have come meanwhile.
    if (this.#timer !== timer) return;
    if (mayWait === true) this.#timer = this.#expireAfter(ms);
    else this.#abandon();
  }

  #abandon(): void {
    this.#cancel();
    void this.end().catch(() => undefined);
    this.#destroy();
  }

  #destroy(): void {
    this.#stream.destroy();
  }

  /**
   * Asks the server to end the statement that runs here. A server that waits for a lock does not notice that its client is gone. The
   * request is not encrypted, as with libpq before version 17: it names the connection and contains no credential. A server that demands TLS
   * ignores it.
   */
  #cancel(): void {
    const { processID, secretKey } = this as unknown as Internals;
    if (processID === null) return;
    const request = new Connection({ ssl: false }) as WholeConnection;
    const stream = request.stream as Socket;
    const { host = '', port } = this.#config;
    request.on('error', () => undefined);
    request.on('connect', () => request.cancel(processID, secretKey));
    if (host.startsWith('/')) request.connect(`${host}/.s.PGSQL.${port}`);
    else request.connect(port ?? 5432, host);
    stream.unref();
    setTimeout(() => stream.destroy(), END_MS).unref();
  }

  /** node-postgres connects once, so what the failed attempt has left is replaced. */
  #leaveTls(): void {
    const internals = this as unknown as Internals;
    const failed = internals.connection;
    failed.removeAllListeners();
    failed.on('error', () => undefined);
    failed.stream.destroy();
    const { keepAlive = false } = this.#config;
    internals.connection = new Connection({ ssl: false, keepAlive }) as WholeConnection;
    internals.connectionParameters.ssl = false;
    Object.assign(internals, { ssl: false, _connecting: false, _connectionError: false, _ended: false });
  }
}
