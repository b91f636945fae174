import { setTimeout as wait } from 'node:timers/promises';
import { describeWithApp, type TestApp } from './support/app';
import { until } from './support/until';

const MEBI = 1024 * 1024;
const models = `
completion_models:
  - { name: own, litellm_model_name: vllm/own }
  - { name: translated, litellm_model_name: openai_compatible/own }
embedding_models:
  - { name: vectors, litellm_model_name: vllm/vectors }
`;

/** A tenant with a server of its own, which answers as it likes. */
async function tenantWithServer(tenkey: TestApp): Promise<string> {
  const tenant = await tenkey.createTenant();
  const credential = { api_key: 'sk-of-an-own-server', endpoint: `${tenkey.provider.url}/v1` };
  for (const provider of ['vllm', 'openai_compatible']) {
    expect((await tenkey.setCredential(tenant, provider, credential)).status).toBe(200);
  }
  return tenant;
}

const json = 'application/json';
/** A body that repeats a text until it has this size. */
function flood(head: string, unit: string, tail: string, bytes: number, isEndless = false) {
  const piece = Buffer.from(unit.repeat(Math.ceil((64 * 1024) / unit.length)));
  const pieces = Array<Buffer>(Math.ceil(bytes / piece.length)).fill(piece);
  return { flow: { type: json, parts: [Buffer.from(head), ...pieces, Buffer.from(tail)], isEndless } };
}

const chat = { messages: [{ role: 'user', content: 'hello' }] };
const choice = '{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}';
const calls: [path: string, body: object, head: string][] = [
  ['responses', { model: 'own', input: 'hello' }, '{"id":"resp_1","object":"response","output":['],
  ['messages', { model: 'translated', max_tokens: 9, ...chat }, '{"object":"chat.completion","choices":['],
  ['embeddings', { model: 'vectors', input: 'a', encoding_format: 'base64' }, '{"data":[{"embedding":[1]},'],
];

describeWithApp('a response of a server of a tenant', { LOG_LEVEL: 'info' }, { models }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenantWithServer(tenkey);
  });

  it.each(calls)('with millions of values is refused before they are built: %s', async (path, body, head) => {
    tenkey.provider.next(flood(head, '{},', '{}]}', 4 * MEBI));
    const answer = await tenkey.call(tenant, path, body);
    expect([answer.status, answer.body.error.tenkey_code ?? answer.body.error.code]).toEqual([
      502,
      'upstream_unavailable',
    ]);
    expect(answer.body.error.message).toContain('too many values');
  });

  it('with more ids than any response has is withheld, and none of them is recorded', async () => {
    const output = Array.from({ length: 5001 }, (_, at) => ({ type: 'message', id: `msg_${at}` }));
    tenkey.provider.next({ body: { id: 'resp_1', object: 'response', status: 'completed', output } });
    const answer = await tenkey.call(tenant, 'responses', { model: 'own', input: 'hello' });
    expect([answer.status, answer.body.error.code]).toEqual([502, 'upstream_unavailable']);
    expect(await tenkey.database.query('select 1 from stored_objects')).toEqual([]);
    tenkey.provider.next({ body: { id: 'resp_1', object: 'response', status: 'completed', output: [] } });
    expect((await tenkey.call(tenant, 'responses', { model: 'own', input: 'hello' })).status).toBe(200);
  });
});

const small = { LOG_LEVEL: 'info', MAX_BODY_BYTES: String(MEBI), MAX_BUFFERED_BYTES: String(5 * MEBI) };
describeWithApp('the memory for responses that are held', small, { models }, (tenkey) => {
  it.each(calls)('is limited for all calls together, and free again: %s', async (path, body, head) => {
    const tenant = await tenantWithServer(tenkey);
    const call = () => tenkey.call(tenant, path, body);
    tenkey.provider.reset();
    // Blanks are a valid part of JSON.
    tenkey.provider.next(flood(head, ' ', ']}', 4 * MEBI, true));
    const first = call();
    first.on('error', () => undefined).end(() => undefined);
    await until(() => tenkey.provider.calls.sentBytes > 4 * MEBI, 'the first response has been sent');
    // What has been sent may still be in the buffers of the connection, and must be held before more arrives.
    await wait(500);
    tenkey.provider.next(flood(head, ' ', ']}', 3 * MEBI));
    const refused = await call();
    expect([refused.status, refused.headers['retry-after'], refused.headers['x-tenkey-problem']]).toEqual([
      503,
      '1',
      'overloaded',
    ]);
    // A usual response arrives nevertheless.
    expect((await call()).status).toBe(200);
    first.abort();
    await until(() => tenkey.provider.calls.open === 0, 'the first call is cancelled');
    tenkey.provider.next(flood(head, ' ', path === 'messages' ? `${choice}]}` : '{}]}', 3 * MEBI));
    expect((await call()).status).toBe(200);
  });
});
