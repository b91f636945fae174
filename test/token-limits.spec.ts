import { type Response } from 'supertest';
import { describeWithApp } from './support/app';
import { issueTenantKey } from './support/keys';
import { registeredRoutes } from './support/routes';
import { usageRecords } from './support/usage';

const messages = [{ role: 'user', content: 'hello' }];

/** The request for each endpoint. Add new endpoints here. */
const requests: Record<string, object> = {
  'chat/completions': { model: 'gpt-4o', messages },
  completions: { model: 'gpt-4o', prompt: 'hello' },
  responses: { model: 'gpt-4o', input: 'hello' },
  messages: { model: 'claude-sonnet', max_tokens: 9, messages },
  'messages/count_tokens': { model: 'claude-sonnet', messages },
  embeddings: { model: 'text-embedding-3-small', input: 'hello' },
  moderations: { model: 'omni-moderation', input: 'hello' },
  'images/generations': { model: 'gpt-image', prompt: 'hello' },
  'audio/speech': { model: 'gpt-4o-mini-tts', input: 'hello', voice: 'alloy' },
  'audio/transcriptions': { model: 'whisper' },
  'audio/translations': { model: 'whisper' },
  'images/edits': { model: 'gpt-image', prompt: 'hello', images: [{ image_url: 'https://a.example/a.png' }] },
  rerank: { model: 'rerank', query: 'hello', documents: ['hello'] },
};
const forms: readonly string[] = ['audio/transcriptions', 'audio/translations'];

/** A response without usage. */
const unreported = { body: { choices: [] } };

describeWithApp('a tenant key with tokens per minute', (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    for (const provider of ['openai', 'anthropic', 'cohere'])
      await tenkey.setCredential(tenant, provider, { api_key: `sk-of-${tenant}` });
  });

  const limited = async (tokens_per_minute: number) =>
    (await issueTenantKey(tenkey, tenant, { tokens_per_minute })).key;
  const post = (key: string, path: string, body: object) =>
    tenkey.http().post(`/v1/${path}`).set('authorization', `Bearer ${key}`).send(body);
  const chat = (key: string, max_tokens: number, more: object = {}) =>
    post(key, 'chat/completions', { model: 'gpt-4o', messages, max_tokens, ...more });
  const outcome = ({ status, body }: Response) => [status, body.error?.code];
  const passed = [200, undefined];
  const refused = [429, 'rate_limited'];

  it('sends no more than the limit, however many calls are simultaneous, and calls no provider for the rest', async () => {
    const key = await limited(1000);
    for (let each = 0; each < 20; each += 1) tenkey.provider.next({ delayMs: 1500 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => chat(key, 240)));
    expect(answers.map(outcome).sort()).toEqual([...Array(4).fill(passed), ...Array(16).fill(refused)]);
    expect(tenkey.provider.calls.begun).toBe(4);
    expect(answers.find(({ status }) => status === 429)?.headers).not.toHaveProperty('x-tenkey-credential');
    tenkey.provider.reset();
    // Each key has its own limit, even two keys of the same tenant.
    expect(outcome(await chat(await limited(1000), 900))).toEqual(passed);
  });

  it('counts what the provider reported once a call has finished, in every format, whole, streamed and translated', async () => {
    const key = await limited(1000);
    const stream = { stream: true, stream_options: { include_usage: true } };
    for (const more of [{}, stream, { model: 'claude-sonnet' }, { model: 'claude-sonnet', stream: true }]) {
      expect(outcome(await chat(key, 900, more))).toEqual(passed);
    }
    for (const more of [{}, { stream: true }]) {
      const request = { model: 'gpt-4o', input: 'x', max_output_tokens: 900, ...more };
      expect((await post(key, 'responses', request)).status).toBe(200);
      const message = { model: 'claude-sonnet', max_tokens: 900, messages, ...more };
      expect((await post(key, 'messages', message)).status).toBe(200);
    }
    // Tokens above the estimate count as well.
    const usage = { prompt_tokens: 700, completion_tokens: 280, total_tokens: 980 };
    tenkey.provider.next({ body: { choices: [], usage } });
    expect(outcome(await chat(key, 10))).toEqual(passed);
    expect(outcome(await chat(key, 300))).toEqual(refused);
    const message = { model: 'claude-sonnet', max_tokens: 300, messages };
    expect(outcome(await post(key, 'messages', message))).toEqual(refused);
    // Counting tokens uses none.
    expect((await post(key, 'messages/count_tokens', message)).status).toBe(200);
  });

  it('counts the estimate of a call for which the provider reports nothing', async () => {
    const key = await limited(1000);
    tenkey.provider.next(unreported);
    expect(outcome(await chat(key, 900))).toEqual(passed);
    expect(outcome(await chat(key, 900))).toEqual(refused);
  });

  it('is refused in the format of each API, with the time to wait', async () => {
    const key = await limited(1000);
    tenkey.provider.next(unreported);
    expect(outcome(await chat(key, 990))).toEqual(passed);
    const openai = await chat(key, 500);
    const message = expect.stringMatching(
      /^This key may use 1000 tokens per minute, and \d+ are used or reserved\. This call may use \d+\. Try again in \d+ s\.$/,
    );
    expect(openai.body.error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limited', message });
    const anthropic = await post(key, 'messages', { model: 'claude-sonnet', max_tokens: 500, messages });
    expect(anthropic.body).toMatchObject({ type: 'error', error: { type: 'rate_limit_error', message } });
    for (const { headers } of [openai, anthropic]) {
      expect(Number(headers['retry-after'])).toBeGreaterThan(50);
      expect(Number(headers['retry-after'])).toBeLessThanOrEqual(61);
    }
  });

  it('learns what to change, and no time to wait, when a single call exceeds the limit', async () => {
    const key = await limited(1000);
    const answer = await chat(key, 600, { n: 2 });
    expect(outcome(answer)).toEqual(refused);
    expect(answer.headers).not.toHaveProperty('retry-after');
    expect(answer.body.error.message).toMatch(/may use 12\d\d tokens.*1000 per minute.*lower max_tokens/);
    expect(tenkey.provider.calls.begun).toBe(0);
    expect(outcome(await chat(key, 900))).toEqual(passed);
  });

  it.each([
    ['the provider refuses the request', { status: 400 }, 400],
    ['the provider refuses the credential', { status: 401 }, 424],
    ['the provider limits the rate', { status: 429 }, 429],
    ['the provider fails', { status: 500 }, 502],
  ])('has its tokens back when %s', async (_, next, status) => {
    const key = await limited(1000);
    for (let each = 0; each < 3; each += 1) {
      tenkey.provider.next(next);
      const answer = await chat(key, 900);
      expect(answer.status).toBe(status);
      expect(answer.body.error.code).not.toBe('rate_limited');
    }
    expect(outcome(await chat(key, 900))).toEqual(passed);
  });

  it('reserves nothing for a call that is refused before it is sent', async () => {
    const key = await limited(1000);
    const calls = [
      [{ model: 'no-such-model' }, 'model_not_found'],
      [{ model: 'mistral-large' }, 'credential_not_configured'],
      [{ model: 'text-embedding-3-small' }, 'endpoint_not_supported'],
      [{ model: 'claude-sonnet', messages: 1 }, 'parameter_not_supported'],
    ] as const;
    for (const [more, code] of calls) {
      for (let each = 0; each < 2; each += 1) expect((await chat(key, 900, more)).body.error.code).toBe(code);
    }
    expect(outcome(await chat(key, 900))).toEqual(passed);
  });

  it('keeps the reservation of a client that disconnected, since the provider works on', async () => {
    const key = await limited(1000);
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    tenkey.provider.next({ delayMs: 5000 });
    const leaving = new AbortController();
    const left = fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages, max_tokens: 900 }),
      signal: leaving.signal,
    });
    while (tenkey.provider.requests.length === 0) await new Promise((done) => setTimeout(done, 10));
    leaving.abort();
    await expect(left).rejects.toThrow();
    while (tenkey.provider.calls.aborted === 0) await new Promise((done) => setTimeout(done, 10));
    expect(outcome(await chat(key, 900))).toEqual(refused);
  });

  it('counts the request and what had arrived for a client that left a stream, and the record says so', async () => {
    const key = await limited(1000);
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const event = { choices: [{ index: 0, delta: { content: 'x'.repeat(400) }, finish_reason: null }] };
    const chunks = Array.from({ length: 20 }, () => `data: ${JSON.stringify(event)}\n\n`);
    tenkey.provider.next({ chunks, chunkDelayMs: 200 });
    const leaving = new AbortController();
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages, max_tokens: 900, stream: true }),
      signal: leaving.signal,
    });
    await response.body!.getReader().read();
    leaving.abort();
    const [record] = await usageRecords(tenkey, 1, `&tenant_id=${tenant}`);
    expect(record).toMatchObject({ outcome: 'client_left', is_estimated: true, cached_tokens: null });
    // Two to five events, each of 400 characters.
    expect(record!.output_tokens).toBeGreaterThanOrEqual(100);
    expect(record!.output_tokens).toBeLessThanOrEqual(500);
    expect(record!.input_tokens).toBeGreaterThanOrEqual(1);
    const used = record!.input_tokens + record!.output_tokens;
    expect(outcome(await chat(key, 1000 - used))).toEqual(refused);
    expect(outcome(await chat(key, 1000 - used - 20))).toEqual(passed);
  });

  it('keeps the reservation for a stream that broke off', async () => {
    const key = await limited(1000);
    tenkey.provider.next({ breakAfterChunks: 2 });
    await chat(key, 900, { stream: true });
    expect(outcome(await chat(key, 900))).toEqual(refused);
  });

  it('is limited on every endpoint, except one that uses no tokens', async () => {
    const endpoints = registeredRoutes(tenkey)
      // The others are about a response that exists.
      .filter(([method, path]) => method === 'POST' && path.startsWith('/v1/') && !path.includes(':'))
      .map(([, path]) => path.replace('/v1/', ''));
    expect(endpoints.sort()).toEqual(Object.keys(requests).sort());
    const ask = (key: string, endpoint: string) => {
      if (!forms.includes(endpoint)) return post(key, endpoint, requests[endpoint]!);
      const form = tenkey.http().post(`/v1/${endpoint}`).set('authorization', `Bearer ${key}`);
      return form.field('model', 'whisper').attach('file', Buffer.from('sound'), 'sound.wav');
    };
    const key = await limited(10_000);
    tenkey.provider.next(unreported);
    expect(outcome(await chat(key, 9990))).toEqual(passed);
    const sounds = [];
    while (sounds.length < 20 && sounds.at(-1) !== 429)
      sounds.push((await ask(key, 'audio/transcriptions')).status);
    expect(sounds.at(-1)).toBe(429);
    const { begun } = tenkey.provider.calls;
    const open = [];
    for (const endpoint of endpoints) {
      if ((await ask(key, endpoint)).status !== 429) open.push(endpoint);
    }
    expect([open, tenkey.provider.calls.begun]).toEqual([['messages/count_tokens'], begun + 1]);
    // The refusals above were not for another reason: a key without a limit can call every endpoint.
    const { key: free } = await issueTenantKey(tenkey, tenant);
    for (const endpoint of endpoints)
      expect([endpoint, (await ask(free, endpoint)).status]).toEqual([endpoint, 200]);
  });

  it('has its tokens back after a minute, even those of a call that never ends', async () => {
    const key = await limited(1000);
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    tenkey.provider.next({
      flow: { type: 'text/event-stream', parts: [Buffer.from('data: {}\n\n')], isEndless: true },
    });
    const leaving = new AbortController();
    const hanging = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages, max_tokens: 900, stream: true }),
      signal: leaving.signal,
    });
    expect(hanging.status).toBe(200);
    expect(outcome(await chat(key, 900))).toEqual(refused);
    const real = performance.now.bind(performance);
    const clock = jest.spyOn(performance, 'now');
    try {
      clock.mockImplementation(() => real() + 59_000);
      expect(outcome(await chat(key, 900))).toEqual(refused);
      clock.mockImplementation(() => real() + 61_000);
      tenkey.provider.next(unreported);
      expect(outcome(await chat(key, 900))).toEqual(passed);
      expect(tenkey.provider.calls.open).toBe(1);
      // When the call ends late, it does not give back tokens that another call has reserved since.
      leaving.abort();
      while (tenkey.provider.calls.aborted === 0) await new Promise((done) => setTimeout(done, 10));
      expect(outcome(await chat(key, 900))).toEqual(refused);
    } finally {
      clock.mockRestore();
    }
  });

  it('may send images of any size, and is refused transcriptions only when all tokens are used', async () => {
    const key = await limited(1000);
    const url = `data:image/png;base64,${Buffer.alloc(500_000, 'image').toString('base64')}`;
    const content = [{ type: 'image_url', image_url: { url } }];
    tenkey.provider.next(unreported);
    expect(outcome(await chat(key, 980, { messages: [{ role: 'user', content }] }))).toEqual(passed);
    const transcribe = () =>
      tenkey
        .http()
        .post('/v1/audio/transcriptions')
        .set('authorization', `Bearer ${key}`)
        .field('model', 'whisper')
        .attach('file', Buffer.from('sound'), 'sound.wav');
    const answers = [];
    while (answers.length < 200 && answers.at(-1)?.status !== 429) answers.push(await transcribe());
    expect(answers[0]!.status).toBe(200);
    expect(outcome(answers.at(-1)!)).toEqual(refused);
    expect(tenkey.provider.requests).toHaveLength(answers.length);
  });

  it('does not limit the platform key or keys without a limit', async () => {
    const { key } = await issueTenantKey(tenkey, tenant);
    expect(outcome(await chat(key, 1e9))).toEqual(passed);
    expect(outcome(await chat(key, 1e9))).toEqual(passed);
    expect((await tenkey.chat(tenant, { max_tokens: 1e9 })).status).toBe(200);
  });

  it('shows its limit in the list', async () => {
    const { id } = await issueTenantKey(tenkey, tenant, { tokens_per_minute: 1_000_000_000 });
    const { body } = await tenkey.sysadmin('get', `/tenants/${tenant}/keys`);
    expect(body.items).toMatchObject([{ id, tokens_per_minute: 1_000_000_000 }]);
    await expect(
      tenkey.edit('update tenant_keys set tokens_per_minute = 0 where id = $1', [id]),
    ).rejects.toThrow('tokens_per_minute');
  });
});
