import { platformKey, startTestApp, type TestApp } from './support/app';

describe('the log', () => {
  let test: TestApp;
  let tenant: string;
  beforeAll(async () => {
    test = await startTestApp({ LOG_LEVEL: 'info' });
    tenant = await test.createTenant();
    await test.setCredential(tenant, 'openai', { api_key: 'sk-logged-as-a-mask-q7w8' });
  });
  afterAll(() => test.close());

  /** The lines of one request, by the id in its answer. */
  async function linesOf(id: string | undefined): Promise<Record<string, unknown>[]> {
    // The line is written when the answer has left.
    await new Promise((done) => setTimeout(done, 50));
    return test.logLines.map((line) => JSON.parse(line)).filter((line) => line.request_id === id);
  }

  it('has one JSON line a call: who, what, where, whose key, how it ended and how long it took', async () => {
    for (const extra of [{}, { stream: true }]) {
      const answer = await test.chat(tenant, extra);
      const lines = await linesOf(answer.headers['x-tenkey-request-id']);
      expect(lines).toEqual([
        expect.objectContaining({
          level: 30,
          method: 'POST',
          path: '/v1/chat/completions',
          status: 200,
          duration_ms: expect.any(Number),
          tenant,
          model: 'gpt-4o',
          adapter: 'litellm',
          provider: 'openai',
          source: 'tenant',
          mask: '...q7w8',
          version: expect.any(String),
        }),
      ]);
    }
  });

  it('says of a failed call which credential it was, and the cause where the fault is not the caller’s', async () => {
    test.provider.rejectKey('sk-logged-as-a-mask-q7w8');
    const rejected = await test.chat(tenant);
    expect(await linesOf(rejected.headers['x-tenkey-request-id'])).toEqual([
      expect.objectContaining({
        status: 424,
        code: 'credential_rejected',
        mask: '...q7w8',
        provider: 'openai',
      }),
    ]);
    test.provider.reset();
    test.provider.next({ status: 500 });
    const failed = await test.chat(tenant);
    expect(await linesOf(failed.headers['x-tenkey-request-id'])).toEqual([
      expect.objectContaining({
        level: 50,
        status: 502,
        code: 'upstream_unavailable',
        err: expect.any(Object),
      }),
    ]);
  });

  it('has one line for a call whose client left, which is no fault', async () => {
    test.provider.next({ delayMs: 2000 });
    const { port } = test.app.getHttpServer().address() as { port: number };
    const before = test.logLines.length;
    const gone = new AbortController();
    const call = fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] }),
      signal: gone.signal,
    });
    const calls = test.provider.requests.length;
    while (test.provider.requests.length === calls) await new Promise((done) => setTimeout(done, 10));
    gone.abort();
    await expect(call).rejects.toThrow();
    await new Promise((done) => setTimeout(done, 100));
    expect(test.logLines.slice(before).map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: 30, status: 499, aborted: true, model: 'gpt-4o', mask: '...q7w8' }),
    ]);
  });

  it('has one line for a refused request, without its path where no route has it', async () => {
    const answer = await test.http().get('/v1/a-secret-in-the-path?key=another');
    const [line] = await linesOf(answer.headers['x-tenkey-request-id']);
    expect(line).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(JSON.stringify(line)).not.toMatch(/a-secret|another/);
  });
});
