import { connect, createServer, type Server, type Socket } from 'node:net';
import { startTestApp, type TestApp } from './support/app';
import { createTestDatabase } from './support/postgres';

/** A gate between the application and its database, to be shut and opened again. */
class Gate {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isShut = false;

  constructor(databaseUrl: string) {
    const url = new URL(databaseUrl);
    const host = decodeURIComponent(url.hostname);
    const port = url.port || '5432';
    this.#server = createServer((inside) => {
      if (this.#isShut) return void inside.destroy();
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
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return (this.#server.address() as { port: number }).port;
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
}

describe('the database goes away and comes back', () => {
  let test: TestApp;
  let gate: Gate;
  let database: { url: string; drop(): Promise<void> };
  beforeAll(async () => {
    database = await createTestDatabase();
    gate = new Gate(database.url);
    const through = new URL(database.url.replace(/@[^/]*\//, '@127.0.0.1/'));
    through.port = String(await gate.listen());
    test = await startTestApp({}, { databaseUrl: through.href });
  });
  afterAll(async () => {
    await test.close();
    gate.close();
    await database.drop();
  });

  it('answers 503 in our shape everywhere, calls nobody, changes nothing, and recovers by itself', async () => {
    const tenant = await test.createTenant();
    await test.setCredential(tenant, 'openai', { api_key: 'sk-before-the-outage-1234' });
    gate.shut();
    test.provider.reset();
    const put = await test.setCredential(tenant, 'openai', { api_key: 'sk-during-the-outage-1234' });
    expect([put.status, put.body.code]).toEqual([503, 'credential_store_unavailable']);
    const chat = await test.chat(tenant);
    expect([chat.status, chat.body.error.code]).toEqual([503, 'credential_store_unavailable']);
    const list = await test.sysadmin('get', '/tenants');
    expect([list.status, list.body.code]).toEqual([503, 'credential_store_unavailable']);
    const ready = await test.http().get('/ready');
    expect([ready.status, ready.body.database]).toEqual([503, 'unavailable']);
    expect((await test.http().get('/health')).status).toBe(200);
    expect(test.provider.requests).toHaveLength(0);

    gate.open();
    expect((await test.chat(tenant)).status).toBe(200);
    expect(test.provider.requests.at(-1)?.key).toBe('sk-before-the-outage-1234');
    expect((await test.http().get('/ready')).status).toBe(200);
  });
});
