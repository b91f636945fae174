import { describeWithApp } from './support/app';
import { type NextAnswer } from './support/provider-server';

const models = `
completion_models:
  - { name: gpt, litellm_model_name: openai/gpt-4o }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
speech_models:
  - { name: speech, litellm_model_name: openai/gpt-4o-mini-tts }
`;
const key = 'sk-sentinel/in+a"response==k4q7';
const messages = [{ role: 'user', content: 'hello' }];
const json = { 'content-type': 'application/json' };
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Name -> how a provider may write the key into JSON. */
const spellings: Readonly<Record<string, string>> = {
  plain: JSON.stringify(key).slice(1, -1),
  'in base64': base64(key),
  'in base64 without padding': base64(key).replaceAll('=', ''),
  'in base64 for URLs': Buffer.from(key).toString('base64url'),
  'in base64 with what precedes it': base64(`Bearer ${key}`),
  'in base64 inside of a longer text': base64(`{"a":"${key}","b":1}`),
  'encoded for a URL': encodeURIComponent(key),
  'with the escapes of .NET': key.replaceAll('+', '\\u002B').replaceAll('"', '\\u0022'),
  'with the escapes of PHP': JSON.stringify(key).slice(1, -1).replaceAll('/', '\\/'),
};

describeWithApp('the key of a call never reaches its client', { LOG_LEVEL: 'info' }, { models }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    for (const id of ['openai', 'anthropic']) await tenkey.setCredential(tenant, id, { api_key: key });
  });
  beforeEach(() => {
    tenkey.provider.reset();
    tenkey.logLines.length = 0;
  });

  const post = (path: string, body: object) => tenkey.call(tenant, path, body);
  const chat = (answer: NextAnswer, fields: object = {}) => {
    tenkey.provider.next(answer);
    return post('chat/completions', { model: 'gpt', messages, ...fields });
  };
  const completion = (text: string) =>
    `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"it is ${text}."},"finish_reason":"stop"}]}`;
  const stars = (length: number) => '*'.repeat(length);
  it.each(Object.entries(spellings))('in JSON, %s', async (_, text) => {
    const response = await chat({ body: completion(text), headers: json });
    const { content } = response.body.choices[0].message as { content: string };
    expect(Buffer.byteLength(response.text)).toBe(Buffer.byteLength(completion(text)));
    expect(content).toMatch(/^it is .*\*{16,}.*\.$/);
    expect(response.text).not.toContain(text);
    expect(tenkey.logLines.join('')).toContain(`of tenant ${tenant} repeated the tenant key for openai`);
    expect(tenkey.logLines.join('')).not.toContain('sentinel');
  });

  it.each(Object.entries(spellings))('in a stream, %s, however it is cut', async (_, text) => {
    const first = `data: {"choices":[{"index":0,"delta":{"content":"`;
    const rest = `"}}]}\n\n: ${text}\n\ndata: [DONE]\n\n`;
    const whole = `${first}${text}${rest}`;
    for (const cut of [first.length, first.length + 1, first.length + 9, first.length + text.length - 1]) {
      const response = await chat(
        { chunks: [whole.slice(0, cut), whole.slice(cut)], chunkDelayMs: 15 },
        { stream: true },
      );
      expect(response.text).toHaveLength(whole.length);
      expect(response.text).not.toContain(text);
      expect(response.text).not.toContain(text.slice(-16));
      expect(response.text.endsWith('data: [DONE]\n\n')).toBe(true);
    }
  });

  it('in what a translation decodes', async () => {
    const escaped = Array.from(key, (each) => `\\u00${each.charCodeAt(0).toString(16)}`).join('');
    tenkey.provider.next({ body: completion(escaped), headers: json });
    const whole = await post('messages', { model: 'gpt', messages, max_tokens: 9 });
    expect(whole.body.content).toEqual([{ type: 'text', text: `it is ${stars(key.length + 1)}.` }]);
    const chunk = `data: {"id":"c","choices":[{"index":0,"delta":{"content":"${escaped}"},"finish_reason":"stop"}]}\n\n`;
    tenkey.provider.next({ chunks: [chunk, 'data: [DONE]\n\n'] });
    const stream = await post('messages', { model: 'gpt', messages, max_tokens: 9, stream: true });
    expect(stream.text).toContain(`"text":"${stars(key.length + 1)}"`);
  });

  it('in a body of bytes, cut anywhere', async () => {
    const sound = Buffer.concat([Buffer.alloc(70_000, 's'), Buffer.from(key), Buffer.alloc(70_000, 'k')]);
    for (const at of [1, 5, key.length - 1, key.length]) {
      const parts = [sound.subarray(0, 70_000 + at), sound.subarray(70_000 + at)];
      tenkey.provider.next({ flow: { type: 'audio/mpeg', parts } });
      const response = await post('audio/speech', { model: 'speech', input: 'hej', voice: 'alloy' });
      const expected = Buffer.from(sound).fill('*', 70_000, 70_000 + key.length);
      expect((response.body as Buffer).equals(expected)).toBe(true);
    }
  });

  it('in an event that is too long to hold', async () => {
    const padding = 'x'.repeat(9 * 1024 * 1024);
    const parts = [
      `data: {"a":"${padding}`,
      `${padding}${key.slice(0, 9)}`,
      `${key.slice(9)}"}\n\n`,
      'data: [DONE]\n\n',
    ];
    const flow = { type: 'text/event-stream', parts: parts.map((part) => Buffer.from(part)) };
    const response = await chat({ flow }, { stream: true });
    expect(response.text).toHaveLength(parts.join('').length);
    expect(response.text).not.toContain(key);
    expect(response.text.slice(-60)).toContain(`${stars(key.length)}"}`);
  });

  it('and a metric counts the bytes', async () => {
    const { text: metrics } = await tenkey.sysadmin('get', '/metrics');
    expect(Number(/^tenkey_key_bytes_masked_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(key.length);
  });

  it('but a part of it that is an ordinary word passes', async () => {
    const body = completion('a sentinel in a response, sk-sentinel');
    expect((await chat({ body, headers: json })).text).toBe(body);
  });
});

describeWithApp('a key of less than 12 characters', { LOG_LEVEL: 'info' }, { models }, (tenkey) => {
  it('could be a word, so it passes', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'an-old-key' });
    const body = '{"choices":[{"message":{"content":"an-old-key"}}]}';
    tenkey.provider.next({ body, headers: json });
    expect((await tenkey.chat(tenant, { model: 'gpt' })).text).toBe(body);
  });
});
