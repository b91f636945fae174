import { setTimeout as wait } from 'node:timers/promises';
import { describeWithApp, platformKey } from './support/app';
import { cpuTimeMs } from './support/cpu-time';

const MEBI = 1024 * 1024;

/** A body of about 8 MiB whose messages are this text again and again. */
function bodyOf(model: string, text: string): Buffer {
  const messages = text.repeat(Math.floor((8 * MEBI) / text.length));
  return Buffer.from(`{"model":"${model}","messages":[${messages}{}]}`);
}

describeWithApp('bodies that would take long to build', (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-a-hostile-tenant' });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-ant-key-of-a-hostile-tenant' });
    await tenkey.setCredential(tenant, 'mistral', { api_key: 'sk-mistral-key-of-a-hostile-tenant' });
  });

  it.each([
    ['lists in lists for a model whose bytes are passed on', 'gpt-4o', '['],
    ['objects in objects', 'gpt-4o', '{"a":'],
    ['millions of objects for a model that needs a translation', 'claude-sonnet', '{},'],
    ['millions of numbers for a model that needs a translation', 'claude-sonnet', '0,'],
    ['millions of messages for a provider that refuses unknown fields in them', 'mistral-large', '{},'],
    ['millions of ids for such a provider', 'mistral-large', '{"tool_call_id":"x"},'],
  ])(
    'of %s are refused at once, five at a time, while /health responds',
    async (_, model, text) => {
      const { port } = tenkey.nest.getHttpServer().address() as { port: number };
      const base = `http://127.0.0.1:${port}`;
      const body = bodyOf(model, text);
      tenkey.provider.reset();
      let isOver = false;
      let slowestMs = 0;
      const watching = (async () => {
        while (!isOver) {
          const asked = cpuTimeMs();
          await (await fetch(`${base}/health`)).text();
          slowestMs = Math.max(slowestMs, cpuTimeMs() - asked);
          await wait(10);
        }
      })();
      const responses = await Promise.all(
        Array.from({ length: 5 }, async () => {
          const headers = {
            'content-type': 'application/json',
            'x-api-key': platformKey,
            'x-tenant-id': tenant,
          };
          const response = await fetch(`${base}/v1/chat/completions`, { method: 'POST', headers, body });
          return [response.status, ((await response.json()) as any).error.code];
        }),
      );
      isOver = true;
      await watching;
      expect(responses).toEqual(Array.from({ length: 5 }, () => [400, 'malformed_request']));
      expect(tenkey.provider.requests).toEqual([]);
      // The clients run in this process too, so most of this time is theirs. What other programs take does not count.
      expect(slowestMs).toBeLessThan(2000);
      process.stdout.write(`slowest /health while five bodies arrive: ${Math.round(slowestMs)} ms\n`);
    },
    60_000,
  );

  it('of a credential with 60,000 unknown fields are checked at once', async () => {
    const unknown = Array.from({ length: 60_000 }, (_, index) => [`f${index}`, 1]);
    const sent = cpuTimeMs();
    const fields = { api_key: 'sk-key-among-many-fields', ...Object.fromEntries(unknown) };
    const response = await tenkey.setCredential(tenant, 'openai', fields);
    expect([response.status, response.body.ignored_fields.length]).toEqual([200, 60_000]);
    // A time that grows with the square of the number is more than 20 seconds.
    expect(cpuTimeMs() - sent).toBeLessThan(5000);
  }, 60_000);
});
