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

/** A proxy between the application and its database that a test can shut and open again. */
export class Gate {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isShut = false;
  #isSilent = false;
  #atCommit: 'lose' | 'shut' | undefined;

  constructor(private readonly databaseUrl: string) {
    const url = new URL(databaseUrl);
    const host = decodeURIComponent(url.hostname);
    const port = url.port || '5432';
    this.#server = createServer((inside) => {
      if (this.#isShut) return void inside.destroy();
      if (this.#isSilent) return void this.#open.add(inside.on('error', () => undefined));
      const outside = host.startsWith('/')
        ? connect(`${host}/.s.PGSQL.${port}`)
        : connect(Number(port), host);
      for (const [from, to] of [
        [inside, outside],
        [outside, inside],
      ] as const) {
        this.#open.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => (to.destroy(), this.#open.delete(from)));
        from.pipe(to);
      }
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
