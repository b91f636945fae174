import { connect, createServer, type Server, type Socket } from 'node:net';

/** Starts a proxy on a free port. @returns the URL of the database through it */
export async function listenBefore(
  proxy: Server,
  databaseUrl: string,
  address = '127.0.0.1',
): Promise<string> {
  await new Promise<void>((done) => proxy.listen(0, address, done));
  const through = new URL(databaseUrl.replace(/@[^/]*\//, `@${address}/`));
  through.port = String((proxy.address() as { port: number }).port);
  return through.href;
}

/**
 * Connects a client of a proxy to the database behind it. When one side ends, so does the other.
 * @param open has both sockets until they are closed
 */
export function connectBehind(inside: Socket, databaseUrl: string, open: Set<Socket>): Socket {
  const { hostname, port } = new URL(databaseUrl);
  const host = decodeURIComponent(hostname);
  const outside = host.startsWith('/')
    ? connect(`${host}/.s.PGSQL.${port || '5432'}`)
    : connect(Number(port || 5432), host);
  for (const [from, to] of [
    [inside, outside],
    [outside, inside],
  ] as const) {
    open.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => (to.destroy(), open.delete(from)));
  }
  return outside;
}

/**
 * Takes PostgreSQL's messages one by one.
 * @returns the beginning of the message that is not complete yet
 */
export function takeMessages(bytes: Buffer, take: (message: Buffer) => void): Buffer {
  let rest = bytes;
  // A message is a byte for its type and its length, which does not count that byte.
  while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
    const end = 1 + rest.readUInt32BE(1);
    take(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  return rest;
}

/** A proxy between the application and its database that a test can shut and open again. */
export class Gate {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isShut = false;
  #isSilent = false;
  #atCommit: 'lose' | 'shut' | undefined;

  constructor(private readonly databaseUrl: string) {
    this.#server = createServer((inside) => {
      if (this.#isShut) return void inside.destroy();
      if (this.#isSilent) return void this.#open.add(inside.on('error', () => undefined));
      const outside = connectBehind(inside, databaseUrl, this.#open);
      inside.pipe(outside).pipe(inside);
      // These listeners run after the pipes, which have passed the data on by then.
      inside.on('data', (part: Buffer) => {
        if (!this.#isAt('lose', part)) return;
        outside.unpipe(inside);
        inside.removeAllListeners('close').destroy();
        outside.end();
      });
      outside.on('data', (part: Buffer) => {
        if (this.#isAt('shut', part)) inside.write('', () => this.shut());
      });
    });
  }

  /** @returns the URL of the database through the gate */
  listen(address?: string): Promise<string> {
    return listenBefore(this.#server, this.databaseUrl, address);
  }

  /** The open connections carry nothing from now on, as after a failover. New connections work. */
  freeze(): void {
    for (const socket of this.#open) socket.unpipe().pause();
  }

  /** Neither the open connections nor new ones carry anything from now on, as when the server is stopped. */
  silence(): void {
    this.#isSilent = true;
    this.freeze();
  }

  /** The next COMMIT reaches the database, and its result does not come back. */
  loseNextCommit(): void {
    this.#atCommit = 'lose';
  }

  /** The gate shuts as soon as the result of the next COMMIT has passed. */
  shutAfterNextCommit(): void {
    this.#atCommit = 'shut';
  }

  shut(): void {
    this.#isShut = true;
    for (const socket of this.#open) socket.destroy();
  }

  open(): void {
    this.#isShut = false;
  }

  close(): void {
    this.shut();
    this.#server.close();
  }

  #isAt(what: 'lose' | 'shut', part: Buffer): boolean {
    if (this.#atCommit !== what || !part.includes('COMMIT')) return false;
    this.#atCommit = undefined;
    return true;
  }
}
