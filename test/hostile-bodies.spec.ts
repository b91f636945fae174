import { execFile } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describeWithApp, platformKey } from './support/app';
import { cpuTimeMs } from './support/cpu-time';

/**
 * Sends a body of about 8 MiB five times at once, whose messages are one text again and again, and prints the status and the code
 * of each response. A process of its own, so that what the clients compute is not measured.
 */
const clients = `
  const { url, headers, model, text } = JSON.parse(process.argv[1]);
  const messages = text.repeat(Math.floor((8 * 1024 * 1024) / text.length));
  const body = Buffer.from('{"model":"' + model + '","messages":[' + messages + '{}]}');
  const send = async () => {
    const response = await fetch(url, { method: 'POST', headers, body });
    return [response.status, (await response.json()).error.code];
  };
  Promise.all(Array.from({ length: 5 }, send)).then((all) => console.log(JSON.stringify(all)));
`;
const runClients = async (request: object): Promise<unknown> => {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', clients, JSON.stringify(request)]);
  return JSON.parse(stdout);
};

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
      const headers = { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant };
      const responses = await runClients({ url: `${base}/v1/chat/completions`, headers, model, text });
      isOver = true;
      await watching;
      expect(responses).toEqual(Array.from({ length: 5 }, () => [400, 'malformed_request']));
      expect(tenkey.provider.requests).toEqual([]);
      // In processor time, so that what other programs take does not count.
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
