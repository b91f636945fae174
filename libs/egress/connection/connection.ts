import { Agent, buildConnector, Client, type Dispatcher, Pool } from 'undici';

/** Opens a connection, and calls back once. */
export type Connect = (
  options: buildConnector.Options,
  callback: buildConnector.Callback,
) => Opening | undefined;

/** A connection that is being opened, such as a socket. */
export interface Opening {
  /** Gives up; the callback gets the error. */
  destroy(error: Error): unknown;
}

/** undici's connector returns its socket, although its type does not say so. */
export function socketConnector(options: buildConnector.BuildOptions): Connect {
  return buildConnector(options) as unknown as Connect;
}

/** The options of a request. */
export interface RequestOptions extends Dispatcher.DispatchOptions {
  /** Is told which connection the request gets, before it is opened. */
  readonly waiting?: { onQueued(connection: Connection): void };
}

/** The request that the connection was opened for is not needed any more. */
class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

/** What was connected to is no HTTP server. */
class SpokeFirst extends Error {
  override readonly name = 'SpokeFirst';
  /** Like those of the HTTP parser. */
  readonly code = 'HPE_UNEXPECTED_BYTES';
}

/**
 * One connection of a pool, which serves one request at a time.
 *
 * undici has no way to give up a connection. It goes on opening one for a request that was aborted meanwhile, and when it has closed
 * the connection of an aborted request, it opens another one. A provider would see connections that nobody uses, one for each client
 * that has left.
 */
export class Connection extends Client {
  #opening: Opening | undefined;
  #isAbandoned = false;

  constructor(origin: string | URL, connect: Connect) {
    super(origin, { connect: (options, callback) => this.#open(connect, options, callback) });
  }

  override dispatch(options: RequestOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.#isAbandoned = false;
    options.waiting?.onQueued(this);
    return super.dispatch(options, handler);
  }

  /** The request that this connection serves, or is opened for, is not needed any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#opening?.destroy(new Abandoned());
  }

  #open(connect: Connect, options: buildConnector.Options, callback: buildConnector.Callback): void {
    // Later, because undici does not expect an error before this returns.
    if (this.#isAbandoned) return queueMicrotask(() => callback(new Abandoned(), null));
    this.#opening = connect(options, (...result) => {
      this.#opening = undefined;
      const [error, socket] = result;
      if (error !== null || socket.readableLength === 0) return callback(...result);
      // undici would close the connection because of these bytes and open the next one, without end.
      socket.on('error', () => undefined).destroy();
      callback(new SpokeFirst('the server sent bytes before the request'), null);
    });
  }
}

/** @returns the pools of all origins, whose connections are opened like this */
export function agentThat(connect: Connect): Agent {
  const factory = (origin: string | URL) => new Connection(origin, connect);
  return new Agent({ factory: (origin) => new Pool(origin, { factory }) });
}
