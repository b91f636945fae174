import { fixedProviders, ProviderRegistry } from '#providers';
import { anthropic } from './fixtures/recorded-answers/anthropic';
import { openAiCompatible } from './fixtures/recorded-answers/openai-compatible';
import { type Recorded } from './fixtures/recorded-answers/recorded';
import { platformKey, startTestApp, type TestApp } from './support/app';
import { type NextAnswer, type ProviderServer, startProviderServer } from './support/provider-server';

const registry = new ProviderRegistry();

const key = 'recorded-Answers/sentinel+key-k3y9';
const spellings = [key, Buffer.from(key).toString('base64'), encodeURIComponent(key), key.slice(0, 14)];
const recorded: Readonly<Record<string, Recorded>> = { ...openAiCompatible, anthropic };
const native = Object.entries(recorded);
const json = { 'content-type': 'application/json' };
const events = { 'content-type': 'text/event-stream' };

const usualCodes: Readonly<Record<number, string>> = {
  400: 'upstream_rejected_request',
  401: 'credential_rejected',
  403: 'credential_rejected',
  404: 'upstream_rejected_request',
  422: 'upstream_rejected_request',
  429: 'upstream_rate_limited',
  500: 'upstream_unavailable',
  503: 'upstream_unavailable',
};
const echo = `Refused: ${spellings.join(' ')} and no more.`;
const foreignBodies: readonly [string, string][] = [
  ['a page of HTML', `<!DOCTYPE html><html><title>${echo}</title></html>`],
  ['nothing', ''],
  ['plain text', echo],
  ['a list', JSON.stringify([{ error: { message: echo } }])],
  ['another thing', `{"error":{"message":{"text":${JSON.stringify(echo)}}},"errors":["${key}"]}`],
];

describe('the documented responses of', () => {
  let server: ProviderServer;
  let tenkey: TestApp;
  let tenant: string;
  let port: number;
  beforeAll(async () => {
    server = await startProviderServer();
    const env: Record<string, string> = { EGRESS_ALLOW: `127.0.0.1:${server.port}`, UPSTREAM_RETRIES: '0' };
    for (const { baseUrlVariables } of fixedProviders)
      if (baseUrlVariables[0] !== undefined) env[baseUrlVariables[0]] = server.url;
    const models = Object.keys(recorded).map((id) => `  - name: ${id}\n    litellm_model_name: ${id}/m\n`);
    tenkey = await startTestApp(env, { models: `completion_models:\n${models.join('')}` });
    tenant = await tenkey.createTenant();
    for (const id of Object.keys(recorded)) {
      const azure = { endpoint: server.url, api_version: '2024-10-21', deployment_name: 'd' };
      const answer = await tenkey.setCredential(tenant, id, { api_key: key, ...(id === 'azure' && azure) });
      expect([id, answer.status]).toEqual([id, 200]);
    }
    ({ port } = tenkey.nest.getHttpServer().address() as { port: number });
  });
  beforeEach(() => server.reset());
  afterEach(() => expect(spellings.filter((each) => tenkey.logLines.join('').includes(each))).toEqual([]));
  afterAll(async () => {
    await tenkey.close();
    await server.close();
  });

  const pathOf = (id: string) =>
    registry.find(id)?.operations.includes('chat/completions') ? 'chat/completions' : 'messages';

  async function ask(id: string, next: NextAnswer, path = pathOf(id), options: object = { stream: false }) {
    server.next(next);
    const input = path === 'responses' ? { input: 'hej' } : { messages: [{ role: 'user', content: 'hej' }] };
    const answer = await fetch(`http://127.0.0.1:${port}/v1/${path}`, {
      method: 'POST',
      headers: { ...json, 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: JSON.stringify({ model: id, max_tokens: 9, ...options, ...input }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const shown = bytes.toString() + JSON.stringify([...answer.headers]);
    expect(spellings.filter((each) => shown.includes(each))).toEqual([]);
    return { status: answer.status, text: bytes.toString(), bytes };
  }

  it.each(native)('%s: a whole response passes byte by byte', async (id, { whole, corrected = whole }) => {
    const { status, bytes } = await ask(id, { status: 200, body: whole, headers: json });
    expect([status, bytes.toString('latin1')]).toEqual([200, Buffer.from(corrected).toString('latin1')]);
    expect(() => JSON.parse(bytes.toString()) as unknown).not.toThrow();
  });

  /** What the client receives of a stream, sent whole and in small parts. */
  async function expectStream(id: string, stream: string, expected: string, options = {}) {
    const all = Buffer.from(stream);
    for (const size of [all.length, 17]) {
      const parts = Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
        all.subarray(at * size, (at + 1) * size),
      );
      const next = { flow: { type: events['content-type'], parts } };
      const { status, bytes } = await ask(id, next, pathOf(id), { stream: true, ...options });
      expect([status, bytes.toString('latin1')]).toEqual([200, Buffer.from(expected).toString('latin1')]);
    }
  }

  it.each(native)('%s: a stream passes byte by byte, however it is cut', async (id, { stream }) => {
    await expectStream(id, stream, stream, { stream_options: { include_usage: true } });
  });

  it.each(native)(
    '%s: a stream passes byte by byte without the usage for a client that did not request it',
    async (id, { stream }) => {
      const isAsked = ['openai', 'azure', 'vllm', 'xai', 'scaleway'].includes(id);
      const usage = /data: \{[^\n]*"choices":\[\],"usage":\{[^\n]*\n\n|,"usage":null/g;
      await expectStream(id, stream, isAsked ? stream.replace(usage, '') : stream);
      const asked = server.requests.map(({ body }) => (body as { stream_options?: unknown }).stream_options);
      const expected = isAsked ? { include_usage: true } : undefined;
      expect([id, asked]).toEqual([id, [expected, expected]]);
    },
  );

  it.each(native)(
    '%s: errors become ours, without the key that they repeat',
    async (id, { error, codes }) => {
      for (const [text, usual] of Object.entries(usualCodes)) {
        const status = Number(text);
        const code = codes?.[status] ?? usual;
        const own = await ask(id, { status, body: error(echo, status), headers: json });
        const { error: body } = JSON.parse(own.text) as { error: { tenkey_code: string; message: string } };
        expect([status, body.tenkey_code]).toEqual([status, code]);
        if (code === 'upstream_rejected_request') expect(body.message).toContain('Refused: [removed]');
        for (const [name, foreign] of foreignBodies) {
          const answer = await ask(id, { status, body: foreign, headers: { 'content-type': 'text/html' } });
          const found = (JSON.parse(answer.text) as { error: { tenkey_code: string } }).error.tenkey_code;
          // Only the message of a 400 can show that it concerns the key.
          expect([status, name, found]).toEqual([status, name, status === 400 ? usual : code]);
        }
      }
    },
  );

  it.each<[string, string, string, string?]>([
    [
      'openrouter',
      'chat/completions',
      `data: {"id":"gen-1","object":"chat.completion.chunk","created":1,"model":"m","provider":"OpenAI","error":{"code":"server_error","message":"${echo}"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error","native_finish_reason":"error"}]}\n\n`,
    ],
    [
      'vllm',
      'chat/completions',
      `data: {"error": {"message": "${echo}", "type": "InternalServerError", "code": 500}}\n\n`,
    ],
    [
      'vllm',
      'chat/completions',
      `data: {"object": "error", "message": "${echo}", "type": "BadRequestError", "code": 400}\n\n`,
      'upstream_rejected_request',
    ],
    ['groq', 'chat/completions', `event: error\ndata: {"message":"${echo}","type":"server_error"}\n\n`],
    ['xai', 'chat/completions', `event: error\ndata: ${echo}\n\n`],
    [
      'openai',
      'responses',
      `event: error\ndata: {"type":"error","code":"server_error","message":"${echo}","param":null,"sequence_number":1}\n\n`,
    ],
    [
      'openai',
      'responses',
      `event: response.failed\ndata: {"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"${echo}"},"output":[]}}\n\n`,
    ],
    [
      'anthropic',
      'messages',
      `event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"${echo}"}}\n\n`,
      'upstream_overloaded',
    ],
  ])(
    '%s: an error inside a stream of %s is replaced (%#)',
    async (id, path, event, code = 'upstream_unavailable') => {
      const first = ': a comment\n\ndata: {"choices":[]}\n\n';
      const parts = [Buffer.from(`${first}${event}data: after it\n\n`)];
      const { status, text } = await ask(id, { flow: { type: events['content-type'], parts } }, path, {
        stream: true,
      });
      expect(status).toBe(200);
      expect(text.startsWith(first)).toBe(true);
      const last = text
        .slice(first.length)
        .split('\n')
        .find((line) => line.startsWith('data: '))!;
      expect(JSON.parse(last.slice('data: '.length))).toMatchObject({
        error: { tenkey_code: code, message: expect.stringContaining('Refused: [removed]') },
      });
      expect(text).not.toContain('after it');
    },
  );
});
