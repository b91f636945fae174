import { createServer, type Server, type Socket } from 'node:net';
import { connectBehind, listenBefore, takeMessages } from '../support/gate';

/** What happens to a statement. */
export type StatementFault =
  /** The connection is lost, and the statement never arrives. */
  | 'is not sent'
  /** The statement is executed, and the connection is lost before its result arrives. */
  | 'has no answer'
  /** The server refuses the statement, because its disk is full. */
  | 'is refused';

const [QUERY, PARSE, SYNC, READY] = ['Q', 'P', 'S', 'Z'].map((letter) => letter.charCodeAt(0));

/**
 * Passes everything between an application and its database on, and lets one statement fail. A statement is a message Query, or
 * the messages from Parse to Sync. Source: PostgreSQL's documentation, "Message Formats".
 */
export class StatementProxy {
  /** The statement that has failed since `fail` was called; undefined: none. */
  failed: string | undefined;
  #armed: Armed | undefined;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(private readonly databaseUrl: string) {
    this.#server = createServer((inside) => {
      const outside = connectBehind(inside, databaseUrl, this.#open);
      new Connection(inside, outside, (text) => this.#faultOf(text));
    });
  }

  /**
   * Lets the nth statement from now on fail, counted over all connections.
   * @param atFault called at the moment at which the application could notice it
   */
  fail(nth: number, fault: StatementFault, atFault: () => void = () => undefined): void {
    this.failed = undefined;
    this.#armed = { left: nth, fault, atFault };
  }

  disarm(): void {
    this.#armed = undefined;
  }

  /** @returns the URL of the database through the proxy */
  listen(): Promise<string> {
    return listenBefore(this.#server, this.databaseUrl);
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }

  #faultOf(text: string): Armed | undefined {
    if (this.#armed === undefined) return undefined;
    this.#armed.left -= 1;
    if (this.#armed.left > 0) return undefined;
    const armed = this.#armed;
    this.#armed = undefined;
    this.failed = text;
    return armed;
  }
}

interface Armed {
  left: number;
  readonly fault: StatementFault;
  readonly atFault: () => void;
}

class Connection {
  #fromClient: Buffer = Buffer.alloc(0);
  #fromServer: Buffer = Buffer.alloc(0);
  #hasStarted = false;
  /** The messages of a statement that is not complete yet. */
  #statement: Buffer[] = [];
  /** Set when the answer that comes next is not passed on. */
  #losing: Armed | undefined;
  /** What ReadyForQuery said last: I outside a transaction, T in one, E in one that has failed. */
  #state = 'I';

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly faultOf: (text: string) => Armed | undefined,
  ) {
    // Messages are written one by one, and must not wait for each other.
    for (const socket of [client, server]) socket.setNoDelay(true);
    client.on('data', (part: Buffer) => this.#read(part));
    server.on('data', (part: Buffer) => this.#answer(part));
  }

  #read(part: Buffer): void {
    this.#fromClient = Buffer.concat([this.#fromClient, part]);
    // The first message has no type. Passwords follow as messages of another type.
    if (!this.#hasStarted) {
      if (this.#fromClient.length < 4 || this.#fromClient.length < this.#fromClient.readUInt32BE(0)) return;
      const size = this.#fromClient.readUInt32BE(0);
      this.server.write(this.#fromClient.subarray(0, size));
      this.#fromClient = this.#fromClient.subarray(size);
      // A request for TLS is answered with one byte, and the first message follows.
      this.#hasStarted = size !== 8;
    }
    this.#fromClient = takeMessages(this.#fromClient, (message) => this.#take(message));
  }

  #take(message: Buffer): void {
    const [type] = message;
    if (this.#statement.length === 0 && type !== QUERY && type !== PARSE) {
      this.server.write(message);
      return;
    }
    this.#statement.push(message);
    if (type !== QUERY && type !== SYNC) return;
    const statement = Buffer.concat(this.#statement);
    this.#statement = [];
    const text = statement.toString('utf8', 5, statement.readUInt32BE(1)).split('\0').find(Boolean) ?? '';
    const armed = this.faultOf(text);
    if (armed === undefined) return void this.server.write(statement);
    switch (armed.fault) {
      case 'is not sent':
        armed.atFault();
        this.client.destroy();
        return;
      case 'is refused':
        armed.atFault();
        this.client.write(Buffer.concat([diskFull(), ready(this.#state === 'I' ? 'I' : 'E')]));
        return;
      case 'has no answer':
        this.#losing = armed;
        this.server.write(statement);
    }
  }

  #answer(part: Buffer): void {
    this.#fromServer = Buffer.concat([this.#fromServer, part]);
    // The answer to a request for TLS.
    if (!this.#hasStarted) {
      this.client.write(this.#fromServer);
      this.#fromServer = Buffer.alloc(0);
      return;
    }
    this.#fromServer = takeMessages(this.#fromServer, (message) => {
      if (message[0] === READY) {
        this.#state = String.fromCharCode(message[5]!);
        if (this.#losing !== undefined) {
          this.#losing.atFault();
          this.client.destroy();
        }
      }
      if (this.#losing === undefined) this.client.write(message);
    });
  }
}

function messageOf(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

const diskFull = () =>
  messageOf(
    'E',
    Buffer.from(
      'SERROR\0VERROR\0C53100\0Mcould not extend file "base/1/2": No space left on device\0HCheck free disk space.\0\0',
    ),
  );
const ready = (state: string) => messageOf('Z', Buffer.from(state));
