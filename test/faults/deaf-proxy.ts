import { connect, createServer, type Server, type Socket } from 'node:net';
import { listenBefore } from '../support/gate';

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
    const { hostname, port } = new URL(databaseUrl);
    const host = decodeURIComponent(hostname);
    this.#server = createServer((inside) => {
      const outside = host.startsWith('/')
        ? connect(`${host}/.s.PGSQL.${port || '5432'}`)
        : connect(Number(port || 5432), host);
      for (const [from, to] of [
        [inside, outside],
        [outside, inside],
      ] as const) {
        this.#open.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => (to.destroy(), this.#open.delete(from)));
      }
      let isLosing = false;
      inside.on('data', (part: Buffer) => {
        if (this.loseResponseTo !== undefined && part.includes(this.loseResponseTo)) {
          this.loseResponseTo = undefined;
          isLosing = true;
        }
        outside.write(part);
      });
      let rest = Buffer.alloc(0);
      outside.on('data', (part: Buffer) => {
        if (isLosing) return void inside.destroy();
        rest = Buffer.concat([rest, part]);
        const passed: Buffer[] = [];
        // A message is a byte for its type and its length, which does not count that byte.
        while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
          const end = 1 + rest.readUInt32BE(1);
          if (this.isDeaf && rest[0] === NOTIFICATION) this.removed += 1;
          else passed.push(rest.subarray(0, end));
          rest = rest.subarray(end);
        }
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
