import OpenAI from 'openai';
import { ModelRoutingService } from '#model-routing';
import { platformKey, startTestApp, type TestApp } from './support/app';
import { usualAnswer } from './support/provider-answers';
import { usageRecords } from './support/usage';

const messages = [{ role: 'user', content: 'one two three' }];
const asked = ',"stream_options":{"include_usage":true}';
const models = `completion_models:
  - { name: chat, litellm_model_name: openai/upstream }
  - { name: vllm, litellm_model_name: hosted_vllm/upstream }
  - { name: azure, litellm_model_name: azure/upstream }
  - { name: mistral, litellm_model_name: mistral/upstream }
  - { name: claude, litellm_model_name: anthropic/upstream }
`;

async function start(env: Record<string, string> = {}) {
  const tenkey = await startTestApp(env, { models });
  const tenant = await tenkey.createTenant();
  const azure = { endpoint: tenkey.provider.url, deployment_name: 'upstream' };
  const others = {
    openai: {},
    vllm: { endpoint: tenkey.provider.url },
    mistral: {},
    anthropic: {},
    azure: { ...azure, api_version: '2024-10-21' },
  };
  for (const [id, settings] of Object.entries(others)) {
    expect((await tenkey.setCredential(tenant, id, { api_key: `key-of-${id}`, ...settings })).status).toBe(
      200,
    );
  }
  const { port } = tenkey.nest.getHttpServer().address() as { port: number };
  const base = `http://127.0.0.1:${port}/v1`;
  const send = (body: string, path: string) =>
    fetch(`${base}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body,
    });
  return { tenkey, tenant, base, azure, send };
}

/** The bytes that the provider sends for this request. */
function sentFor(tenkey: TestApp): string[] {
  const answer = usualAnswer(
    tenkey.provider.requests[0]!,
    tenkey.provider.requests[0]!.path.includes('/openai/') ? 'azure' : 'openai',
  );
  return 'events' in answer ? answer.events : [];
}

const withoutNulls = (events: readonly string[]) =>
  events.join('').replaceAll(/"usage":null,|,"usage":null/g, '');

describe('the usage of a stream whose client did not request it', () => {
  let on: Awaited<ReturnType<typeof start>>;
  let off: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    on = await start();
    off = await start({ STREAM_USAGE: 'false' });
  });
  beforeEach(() => {
    on.tenkey.provider.reset();
    off.tenkey.provider.reset();
  });
  afterAll(async () => {
    await on.tenkey.close();
    await off.tenkey.close();
  });

  const bodyOf = (model: string, options = '') =>
    ` { "model" : "${model}","messages":${JSON.stringify(messages)}, "prompt":"one two three" ,"seed":1.0${options}}\n`;
  const streamed = ',"stream": true ';
  const rawOf = ({ tenkey }: typeof on) => tenkey.provider.requests[0]?.rawBody;

  it.each([
    ['chat', 'chat/completions'],
    ['chat', 'completions'],
    ['vllm', 'chat/completions'],
    ['vllm', 'completions'],
    ['azure', 'chat/completions'],
  ])(
    'is requested from the provider, and the client gets the same as without that: %s %s',
    async (model, path) => {
      const answer = await on.send(bodyOf(model, streamed), path);
      const text = await answer.text();
      expect(rawOf(on)).toBe(bodyOf('upstream', streamed + asked));
      const sent = sentFor(on.tenkey);
      const usage = sent.filter((event) => event.includes('"total_tokens"'));
      expect(usage).toHaveLength(1);
      const others = sent.filter((event) => event !== usage[0]);
      expect(text).toBe(withoutNulls(others));
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
      expect(answer.headers.get('x-tenkey-dropped-params')).toBeNull();

      const without = await (await off.send(bodyOf(model, streamed), path)).text();
      expect(rawOf(off)).toBe(bodyOf('upstream', streamed));
      expect(without).toBe(sentFor(off.tenkey).join(''));
      expect(text).toBe(without);
    },
  );

  it.each([
    ['chat', 'no stream', ''],
    ['chat', 'no stream', ',"stream":false'],
    ['chat', 'options of its own', `${streamed}${asked}`],
    ['chat', 'options of its own', `${streamed},"stream_options":{"include_usage":false}`],
    ['chat', 'options of its own', `${streamed},"stream_options":{"include_obfuscation":false}`],
    ['chat', 'options of its own', `${streamed},"stream_options":{}`],
    ['chat', 'options of its own', `${streamed},"stream_options":null`],
    ['mistral', 'a provider that reports it without a request', streamed],
  ])('leaves every byte unchanged in both directions, for %s with %s%s', async (model, _, options) => {
    const answer = await on.send(bodyOf(model, options), 'chat/completions');
    expect(answer.status).toBe(200);
    const expected = model === 'mistral' ? options.replace('seed', 'random_seed') : options;
    expect(rawOf(on)?.replace('random_seed', 'seed')).toBe(bodyOf('upstream', expected));
    if (options.includes(streamed)) expect(await answer.text()).toBe(sentFor(on.tenkey).join(''));
    else expect(await answer.json()).toHaveProperty('usage.total_tokens', 5);
  });

  it('is not requested where the provider might refuse that', async () => {
    const image = [
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example' } }] },
    ];
    const other = await on.tenkey.createTenant();
    const settings = { ...on.azure, api_key: 'key-of-azure', api_version: '2024-06-01' };
    await on.tenkey.setCredential(other, 'azure', settings);
    const calls: [string, object][] = [
      [on.tenant, { messages: image }],
      [on.tenant, { data_sources: [] }],
      [other, {}],
    ];
    for (const [tenant, request] of calls) {
      expect((await on.tenkey.chat(tenant, { model: 'azure', stream: true, ...request })).status).toBe(200);
    }
    expect(on.tenkey.provider.requests).toHaveLength(3);
    for (const { body } of on.tenkey.provider.requests) expect(body).not.toHaveProperty('stream_options');
  });

  it("stays hidden from OpenAI's client, which gets it on request", async () => {
    const headers = { 'X-API-Key': platformKey, 'X-Tenant-ID': on.tenant };
    const client = new OpenAI({ apiKey: 'unused', baseURL: on.base, defaultHeaders: headers, maxRetries: 0 });
    const usages = async (options: object) => {
      const request = { model: 'chat', messages: messages as never, stream: true as const, ...options };
      const found: unknown[] = [];
      for await (const chunk of await client.chat.completions.create(request)) {
        if (chunk.choices.length === 0) found.push(chunk.usage);
      }
      return found;
    };
    expect(await usages({})).toEqual([]);
    const options = { stream_options: { include_usage: true } };
    expect(await usages(options)).toEqual([expect.objectContaining({ total_tokens: 5 })]);
  });

  it('stays hidden from code in the same process', async () => {
    const request = Buffer.from(bodyOf('chat', streamed));
    const routing = on.tenkey.nest.get(ModelRoutingService, { strict: false });
    const options = { signal: new AbortController().signal };
    const { body } = await routing.call(on.tenant, 'chat/completions', request, options);
    const text = Buffer.concat(await body.toArray()).toString();
    expect(rawOf(on)).toContain(asked);
    expect(text).not.toContain('total_tokens');
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('is in the usage record of the call, and missing where it was not requested', async () => {
    const tokens: unknown[] = [];
    for (const { tenkey } of [on, off]) {
      const tenant = await tenkey.createTenant();
      await tenkey.setCredential(tenant, 'openai', { api_key: 'key-of-openai' });
      expect((await tenkey.chat(tenant, { model: 'chat', stream: true })).status).toBe(200);
      const [record] = await usageRecords(tenkey, 1, `&tenant_id=${tenant}`);
      expect(record).toMatchObject({ outcome: 'completed', response_bytes: sentFor(tenkey).join('').length });
      tokens.push([record!.input_tokens, record!.output_tokens]);
    }
    expect(tokens).toEqual([
      [3, 2],
      [null, null],
    ]);
  });

  it('delays no event', async () => {
    on.tenkey.provider.next({ chunkDelayMs: 150 });
    const answer = await on.send(bodyOf('chat', streamed), 'chat/completions');
    const arrivals: number[] = [];
    for await (const _ of answer.body!) arrivals.push(performance.now());
    // The role, at least three words, the end, and [DONE]. The hidden usage between the last two shows only as a gap.
    expect(arrivals.length).toBeGreaterThanOrEqual(6);
    expect(arrivals.at(-1)! - arrivals[0]!).toBeGreaterThan(600);
  });

  it('may be missing when the provider breaks off before it, and the client loses no event', async () => {
    on.tenkey.provider.next({ breakAfterChunks: 3 });
    const text = await (await on.send(bodyOf('chat', streamed), 'chat/completions')).text();
    expect(text.startsWith(withoutNulls(sentFor(on.tenkey).slice(0, 3)))).toBe(true);
    const last = JSON.parse(text.trim().split('\n\n').at(-1)!.slice('data: '.length)) as object;
    expect(last).toMatchObject({ error: { code: 'upstream_unavailable' } });
  });

  it('is always requested by the translation to messages', async () => {
    const body = JSON.stringify({ model: 'chat', max_tokens: 9, stream: true, messages });
    for (const each of [on, off]) {
      const text = await (await each.send(body, 'messages')).text();
      expect(text).toContain('"output_tokens":2');
      expect(rawOf(each)).toContain('"stream_options":{"include_usage":true}');
    }
    const chat = await on.send(
      bodyOf('claude', streamed).replace(' "prompt":"one two three" ,"seed":1.0', '"max_tokens":9'),
      'chat/completions',
    );
    expect(await chat.text()).not.toContain('"usage":{');
  });
});
