import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import request from 'supertest';
import { fixedProviders, type Operation, operations, type Provider, serviceOf } from '#providers';
import { platformKey, startTestApp, type TestApp } from './support/app';
import { sound } from './support/provider-answers';
import { type ProviderServer, startProviderServer } from './support/provider-server';

type Kind = 'completion' | 'embedding' | 'transcription' | 'speech' | 'image' | 'moderation' | 'rerank';

const messages = [{ role: 'user', content: 'hello' }];
/** The body of a client's request, and what shows that the response is in the client's format. */
const calls: Readonly<Record<Operation, { kind: Kind; body: object; answer: object }>> = {
  'chat/completions': {
    kind: 'completion',
    body: { messages },
    answer: {
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'echo: hello' } }],
    },
  },
  completions: {
    kind: 'completion',
    body: { prompt: 'hello' },
    answer: { object: 'text_completion', choices: [{ text: 'echo: hello' }] },
  },
  embeddings: {
    kind: 'embedding',
    body: { input: 'hello' },
    answer: { object: 'list', data: [{ object: 'embedding', embedding: [0.125, -0.5, 0.75] }] },
  },
  responses: {
    kind: 'completion',
    body: { input: 'hello' },
    answer: { object: 'response', output: [{ content: [{ type: 'output_text', text: 'echo: hello' }] }] },
  },
  'audio/transcriptions': { kind: 'transcription', body: {}, answer: { text: 'heard 5 bytes' } },
  'audio/translations': { kind: 'transcription', body: {}, answer: { text: 'heard 5 bytes' } },
  'audio/speech': { kind: 'speech', body: { input: 'hello', voice: 'alloy' }, answer: sound },
  'images/generations': {
    kind: 'image',
    body: { prompt: 'hello' },
    answer: { data: [{ b64_json: 'iVBORw0KGgo=' }] },
  },
  'images/edits': {
    kind: 'image',
    body: { prompt: 'hello', images: [{ image_url: 'https://example.com/a.png' }] },
    answer: { data: [{ b64_json: 'iVBORw0KGgo=' }] },
  },
  moderations: { kind: 'moderation', body: { input: 'hello' }, answer: { results: [{ flagged: false }] } },
  rerank: {
    kind: 'rerank',
    body: { query: 'hello', documents: ['one', 'two'] },
    answer: { results: [{ index: 0, relevance_score: 1 }, { index: 1 }] },
  },
  messages: {
    kind: 'completion',
    body: { messages, max_tokens: 9 },
    answer: { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'echo: hello' }] },
  },
  'messages/count_tokens': { kind: 'completion', body: { messages }, answer: { input_tokens: 3 } },
};

/** The operations that the provider serves, by itself or by translation. */
const servedBy = (provider: Provider) => operations.filter((each) => serviceOf(provider, each));

const deployment = 'the-deployment';
/** The paths on the local provider: the base as in the provider's documentation, and the path of an operation below it. */
const bases: Readonly<Record<string, { base: string; path?: (operation: Operation) => string }>> = {
  openai: { base: '/v1' },
  anthropic: { base: '', path: (operation) => `/v1/${operation}` },
  mistral: { base: '/v1' },
  ovhcloud: { base: '/v1' },
  berget: { base: '/v1' },
  azure: {
    base: '',
    path: (operation) =>
      operation === 'responses' ? '/openai/responses' : `/openai/deployments/${deployment}/${operation}`,
  },
  vllm: { base: '', path: (operation) => `/v1/${operation}` },
  gemini: { base: '/v1beta/openai' },
  cohere: {
    base: '',
    path: (operation) => (operation === 'rerank' ? '/v2/rerank' : `/compatibility/v1/${operation}`),
  },
  groq: { base: '/openai/v1' },
  deepseek: {
    base: '',
    path: (operation) => (operation === 'messages' ? '/anthropic/v1/messages' : `/${operation}`),
  },
  openrouter: { base: '/api/v1' },
  together: { base: '/v1' },
  xai: { base: '/v1' },
  scaleway: { base: '/v1' },
  openai_compatible: { base: '/v1' },
};

const keyOf = ({ id }: Provider) => `the-own-key-of-${id}-k3y9`;
const modelOf = ({ id }: Provider, operation: Operation) => `${calls[operation].kind}-${id}`;
const upstreamModelOf = ({ id }: Provider) => `upstream-model-of-${id}`;

/** A model of each kind for each provider. */
function catalogue(): string {
  const kinds = [...new Set(Object.values(calls).map(({ kind }) => kind))];
  return kinds
    .map((kind) => {
      const models = fixedProviders.map(
        ({ id }) => `  - name: ${kind}-${id}\n    litellm_model_name: ${id}/upstream-model-of-${id}\n`,
      );
      return `${kind}_models:\n${models.join('')}`;
    })
    .join('');
}

/** The table of operations in docs/providers.md: provider -> operation -> cell. */
function table(): Map<string, Map<string, string>> {
  const page = readFileSync(join(__dirname, '../docs/providers.md'), 'utf8');
  const section = page.split('\n## Operations\n')[1]!.split('\n## ')[0]!;
  const [head, , ...rows] = section
    .slice(section.indexOf('| provider '))
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return new Map(
    rows.map(([id = '', ...cells]) => [
      id,
      new Map(cells.map((cell, index) => [head![index + 1]!.replace(/^\/v1\//, ''), cell])),
    ]),
  );
}

function cellOf(provider: Provider, operation: Operation): string {
  const service = serviceOf(provider, operation);
  if (service === undefined) return '';
  return service.translation === undefined ? 'yes' : 'translated';
}

const cells = fixedProviders.flatMap((provider) =>
  operations.map((operation) => [provider.id, operation, cellOf(provider, operation), provider] as const),
);

describe('the registry of operations', () => {
  let server: ProviderServer;
  let tenkey: TestApp;
  let tenant: string;
  beforeAll(async () => {
    server = await startProviderServer();
    const env: Record<string, string> = { EGRESS_ALLOW: `127.0.0.1:${server.port}` };
    const addressOf = ({ id }: Provider) => `${server.url}${bases[id]!.base}`;
    const hasEndpoint = ({ fields }: Provider) => fields.some(({ name }) => name === 'endpoint');
    for (const provider of fixedProviders) {
      const [variable] = provider.baseUrlVariables;
      if (!hasEndpoint(provider) && variable !== undefined) env[variable] = addressOf(provider);
    }
    tenkey = await startTestApp(env, { models: catalogue() });
    tenant = await tenkey.createTenant();
    for (const provider of fixedProviders) {
      const answer = await tenkey.setCredential(tenant, provider.id, {
        api_key: keyOf(provider),
        ...(hasEndpoint(provider) && { endpoint: addressOf(provider) }),
        ...(provider.id === 'azure' && { api_version: '2024-10-21', deployment_name: deployment }),
      });
      expect([provider.id, answer.status]).toEqual([provider.id, 200]);
    }
  });
  beforeEach(() => server.reset());
  afterAll(async () => {
    await tenkey.close();
    await server.close();
  });

  function call(provider: Provider, operation: Operation): request.Test {
    const asked = request(tenkey.nest.getHttpServer())
      .post(`/v1/${operation}`)
      .set({ 'X-API-Key': platformKey, 'X-Tenant-ID': tenant });
    const model = modelOf(provider, operation);
    if (operation === 'audio/transcriptions' || operation === 'audio/translations') {
      return asked.field('model', model).attach('file', Buffer.from('sound'), 'a.wav');
    }
    if (operation === 'audio/speech') void asked.responseType('blob');
    return asked.send({ model, ...calls[operation].body });
  }

  it('edits images that are sent as a form too, with several files and a mask', async () => {
    for (const id of ['openai', 'azure', 'openai_compatible']) {
      server.reset();
      const answer = await request(tenkey.nest.getHttpServer())
        .post('/v1/images/edits')
        .set({ 'X-API-Key': platformKey, 'X-Tenant-ID': tenant })
        .field('prompt', 'at dusk')
        .attach('image[]', sound, { filename: 'a.png', contentType: 'image/png' })
        .attach('image[]', sound.subarray(1), { filename: 'b.png', contentType: 'image/png' })
        .attach('mask', sound.subarray(2), { filename: 'mask.png', contentType: 'image/png' })
        .field('model', `image-${id}`);
      expect([id, answer.status, answer.body.data]).toEqual([id, 200, [{ b64_json: 'iVBORw0KGgo=' }]]);
      const { form, rawBody } = server.requests[0]!;
      expect(form).toMatchObject({
        prompt: 'at dusk',
        model: id === 'azure' ? deployment : `upstream-model-of-${id}`,
        'image[]': { name: 'b.png', type: 'image/png', size: sound.length - 1 },
        mask: { name: 'mask.png', type: 'image/png', size: sound.length - 2 },
      });
      expect(rawBody.match(/name="image\[\]"/g)).toHaveLength(2);
    }
  });

  it('translates speech into a text, and an empty text is a result', async () => {
    const translate = (fields: Record<string, string>) =>
      request(tenkey.nest.getHttpServer())
        .post('/v1/audio/translations')
        .set({ 'X-API-Key': platformKey, 'X-Tenant-ID': tenant })
        .field({ model: 'transcription-groq', ...fields })
        .attach('file', Buffer.from('sound'), 'a.wav');
    const answer = await translate({ response_format: 'text', prompt: 'names: Umeå' });
    expect([answer.status, answer.text]).toEqual([200, 'heard 5 bytes\n']);
    expect(server.requests[0]!.form).toMatchObject({ response_format: 'text', prompt: 'names: Umeå' });
    server.next({ body: '', headers: { 'content-type': 'text/plain' } });
    expect((await translate({ response_format: 'text' })).status).toBe(200);
  });

  it('is the table in docs/providers.md, in both directions', () => {
    expect(table()).toEqual(
      new Map(
        fixedProviders.map((provider) => [
          provider.id,
          new Map(operations.map((operation) => [operation, cellOf(provider, operation)])),
        ]),
      ),
    );
    for (const provider of fixedProviders) {
      const served = operations.filter((operation) => cellOf(provider, operation) !== '');
      expect(served).toEqual(servedBy(provider));
    }
  });

  it.each(cells.filter(([, , cell]) => cell !== ''))(
    'gives %s the operation %s: %s',
    async (id, operation, cell, provider) => {
      const answer = await call(provider, operation);
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject(calls[operation].answer);
      expect(answer.headers['x-tenkey-credential']).toMatch(new RegExp(`^${id}/\\.\\.\\.k3y9/v\\d+$`));
      const upstream = serviceOf(provider, operation)!.operation;
      expect(upstream === operation).toBe(cell === 'yes');
      const { base, path = (each: Operation) => `/${each}` } = bases[id]!;
      expect(server.requests).toHaveLength(1);
      const [seen] = server.requests;
      expect(seen).toMatchObject({ method: 'POST', path: base + path(upstream), key: keyOf(provider) });
      const { model } = (seen!.form ?? seen!.body) as { model: string };
      expect(model).toBe(id === 'azure' ? deployment : upstreamModelOf(provider));
    },
  );

  it.each(cells.filter(([, , cell]) => cell === ''))(
    'gives %s no %s, and the response says what there is',
    async (_, operation, __, provider) => {
      const answer = await call(provider, operation);
      const body = (Buffer.isBuffer(answer.body) ? JSON.parse(answer.body.toString()) : answer.body) as {
        error: { code: string; message: string };
      };
      expect([answer.status, body.error.code]).toEqual([400, 'endpoint_not_supported']);
      const has = servedBy(provider).filter((each) => calls[each].kind === calls[operation].kind);
      const list = has.length === 0 ? 'none' : has.map((each) => `/v1/${each}`).join(', ');
      expect(body.error.message).toContain(`${provider.label} does not serve /v1/${operation};`);
      expect(body.error.message).toContain(`it serves ${list}. No call was made.`);
      expect(server.calls.begun).toBe(0);
    },
  );
});
