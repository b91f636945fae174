import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { Client } from 'pg';
import { ModelRoutingService } from '#model-routing';
import { startTestApp, type TestApp } from './support/app';
import { createTestDatabase, type TestDatabase } from './support/postgres';
import { until } from './support/until';
import { usageRecords } from './support/usage';

@Injectable()
class ForeignService {
  constructor(readonly routing: ModelRoutingService) {}
}

@Module({ providers: [ForeignService], exports: [ForeignService] })
class ForeignModule {}

describe('a call from another Nest module in the same process', () => {
  let database: TestDatabase;
  let tenkey: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    tenkey = await startTestApp({}, { databaseUrl: database.url, imports: [ForeignModule] });
  });
  afterAll(async () => {
    await tenkey.close();
    await database.drop();
  });

  it.each([
    ['as it came', { model: 'gpt-4o', stream_options: { include_usage: true } }],
    ['without the usage that the caller did not request', { model: 'gpt-4o' }],
    ['translated', { model: 'claude-sonnet' }],
  ])(
    'gets the error that ends a stream %s as a Problem without the key, and its record says the same',
    async (_, of) => {
      const key = 'sk-in-process-key-p4q5';
      const tenant = await tenkey.createTenant();
      await tenkey.setCredential(tenant, 'openai', { api_key: key });
      await tenkey.setCredential(tenant, 'anthropic', { api_key: key });
      const begin =
        of.model === 'gpt-4o'
          ? 'data: {"choices":[{"index":0,"delta":{"content":"so far"}}]}\n\n'
          : 'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":3}}}\n\n';
      const error = `event: error\ndata: {"type":"error","error":{"message":"key ${key} is over quota"}}\n\n`;
      tenkey.provider.next({ chunks: [begin, error, begin] });
      const { routing } = tenkey.nest.get(ForeignService, { strict: false });
      const request = { messages: [{ role: 'user', content: 'hello' }], stream: true, ...of };
      const answer = await routing.call(tenant, 'chat/completions', Buffer.from(JSON.stringify(request)), {
        signal: new AbortController().signal,
      });
      let text = '';
      const reading = (async () => {
        for await (const chunk of answer.body) text += String(chunk);
      })();
      await expect(reading).rejects.toMatchObject({
        code: 'upstream_unavailable',
        message: expect.stringContaining('key [removed] is over quota'),
      });
      expect(text).toMatch(
        of.model === 'gpt-4o' ? /^data: .*so far.*\n\n$/ : /^data: .*"role":"assistant".*\n\n$/,
      );
      expect(await usageRecords(tenkey, 1, `&tenant_id=${tenant}`)).toMatchObject([
        { outcome: 'broken_off', status: 200, code: 'upstream_unavailable' },
      ]);
    },
  );

  it("is made through the injected service, and the tenant's own key pays, by a route that nobody can change", async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-in-process-key-p4q5' });
    const { routing } = tenkey.nest.get(ForeignService, { strict: false });
    const request = { model: 'gpt-4o', messages: [{ role: 'user', content: 'from inside' }] };
    const answer = await routing.call(tenant, 'chat/completions', Buffer.from(JSON.stringify(request)), {
      signal: new AbortController().signal,
    });
    let text = '';
    for await (const chunk of answer.body) text += String(chunk);
    expect(text).toContain('from inside');
    expect(answer.route.credential.mask).toBe('...p4q5');
    // The route may be shared by calls at the same time.
    for (const shared of [answer.route, answer.route.credential]) expect(Object.isFrozen(shared)).toBe(true);
    expect(tenkey.provider.requests.at(-1)?.key).toBe('sk-in-process-key-p4q5');
  });

  it('is recorded even when shutdown ends it, whole, streamed, translated or unread', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-in-process-key-p4q5' });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-in-process-key-p4q5' });
    const { routing } = tenkey.nest.get(ForeignService, { strict: false });
    const call = (fields: object) =>
      routing.call(
        tenant,
        'chat/completions',
        Buffer.from(
          JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'x' }], ...fields }),
        ),
        { signal: new AbortController().signal },
      );
    tenkey.provider.reset();
    for (const model of ['gpt-4o', 'claude-sonnet']) {
      tenkey.provider.next({ chunkDelayMs: 5000 });
      const { body } = await call({ model, stream: true });
      body.on('error', () => undefined).resume();
    }
    for (const model of ['gpt-4o', 'claude-sonnet']) {
      // The whole body has arrived, but is not read.
      const { body } = await call({ model, stream: true });
      body.on('error', () => undefined).once('readable', () => undefined);
      await until(() => body.readableLength > 0, 'the first part');
    }
    tenkey.provider.next({ delayMs: 5000 });
    const asked = call({}).then(
      () => undefined,
      (error: unknown) => error,
    );
    await until(() => tenkey.provider.requests.length === 5, 'the calls');
    await tenkey.nest.close();
    expect(await asked).toMatchObject({ code: 'upstream_unavailable' });
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query(
      'select outcome, code, upstream_status from usage_records where tenant_id = $1 order by outcome',
      [tenant],
    );
    await client.end();
    const broken = { outcome: 'broken_off', code: 'upstream_unavailable', upstream_status: 200 };
    expect(rows).toEqual([
      broken,
      broken,
      broken,
      broken,
      { outcome: 'failed', code: 'upstream_unavailable', upstream_status: null },
    ]);
  });
});
