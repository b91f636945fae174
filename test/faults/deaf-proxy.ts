import { createServer, type Server, type Socket } from 'node:net';
import { connectBehind, listenBefore, takeMessages } from '../support/gate';

const NOTIFICATION = 'A'.charCodeAt(0);

/** Passes everything between a process and its database on, except notifications, like a pooler that shares sessions. */
export class DeafProxy {
  /** How many notifications were not passed on. */
  removed = 0;
  isDeaf = true;
  /** The next statement with this text is executed, and its connection is lost before the response. */
  loseResponseTo: string | undefined;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  constructor(private readonly databaseUrl: string) {
    this.#server = createServer((inside) => {
      const outside = connectBehind(inside, databaseUrl, this.#open);
      let isLosing = false;
      inside.on('data', (part: Buffer) => {
        if (this.loseResponseTo !== undefined && part.includes(this.loseResponseTo)) {
          this.loseResponseTo = undefined;
          isLosing = true;
        }
        outside.write(part);
      });
      let rest: Buffer = Buffer.alloc(0);
      outside.on('data', (part: Buffer) => {
        if (isLosing) return void inside.destroy();
        const passed: Buffer[] = [];
        rest = takeMessages(Buffer.concat([rest, part]), (message) => {
          if (this.isDeaf && message[0] === NOTIFICATION) this.removed += 1;
          else passed.push(message);
        });
        inside.write(Buffer.concat(passed));
      });
    });
  }

  /** @returns the URL of the database through the proxy, which does not know the message that asks for TLS */
  async listen(): Promise<string> {
    return `${await listenBefore(this.#server, this.databaseUrl)}?sslmode=disable`;
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }
}
