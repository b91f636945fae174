import OpenAI from 'openai';
import { describeWithApp, platformKey } from './support/app';
import { bodyText } from './support/body-text';

const models = `
embedding_models:
  - { name: small, litellm_model_name: openai/text-embedding-3-small }
  - { name: berget, litellm_model_name: berget/intfloat/multilingual-e5-large }
  - { name: mistral, litellm_model_name: mistral/mistral-embed }
`;
const json = { 'content-type': 'application/json' };
/** These numbers are exact in 32 bits. */
const vectors = [
  [0.125, -0.5, 0.75],
  [1, 0, -3],
];
const base64Of = (vector: number[]) => Buffer.from(Float32Array.from(vector).buffer).toString('base64');
const response = (embeddings: unknown[]) => ({
  object: 'list',
  data: embeddings.map((embedding, index) => ({ object: 'embedding', index, embedding })),
  model: 'e',
  usage: { prompt_tokens: 2, total_tokens: 2 },
});
const asFloats = response(vectors);
const asBase64 = response(vectors.map(base64Of));

describeWithApp('the encoding of embeddings', {}, { models }, (tenkey) => {
  let tenant: string;
  let client: OpenAI;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    for (const provider of ['openai', 'berget', 'mistral']) {
      await tenkey.setCredential(tenant, provider, { api_key: 'sk-sentinel-of-embeddings-e1e1' });
    }
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    client = new OpenAI({
      apiKey: 'unused-by-tenkey',
      baseURL: `http://127.0.0.1:${port}/v1`,
      defaultHeaders: { 'X-API-Key': platformKey, 'X-Tenant-ID': tenant },
      maxRetries: 0,
    });
  });
  beforeEach(() => tenkey.provider.reset());

  const embed = (fields: object, body: unknown, model = 'small') => {
    tenkey.provider.next({ body, headers: json });
    return tenkey.call(tenant, 'embeddings', { model, input: ['one', 'two'], ...fields });
  };

  it('is the one that the client asked for, whichever the provider sends', async () => {
    for (const sent of [asFloats, asBase64]) {
      expect((await embed({ encoding_format: 'base64' }, sent)).body).toEqual(asBase64);
      expect((await embed({ encoding_format: 'float' }, sent)).body).toEqual(asFloats);
      expect((await embed({}, sent)).body).toEqual(asFloats);
      expect((await embed({ encoding_format: null }, sent)).body).toEqual(asFloats);
    }
  });

  it('gives the openai client the right vectors, although it asks for base64 by default', async () => {
    for (const sent of [asFloats, asBase64]) {
      tenkey.provider.next({ body: sent, headers: json });
      const { data } = await client.embeddings.create({ model: 'small', input: ['one', 'two'] });
      expect(data.map(({ embedding }) => embedding)).toEqual(vectors);
      expect(tenkey.provider.requests.at(-1)!.body.encoding_format).toBe('base64');
    }
  });

  it.each([
    ['float', ' {"data": [ {"embedding" : [1.0, 2e0] } ], "n": 1.0}\n'],
    ['base64', '{"data":[{"embedding":"AACAPw==" , "n":1.0}]}'],
    ['float', '{"data":[{"embedding":"not base64!"}],"n":1}'],
    ['base64', '{"data":[{"embedding":["a"]}],"n":1}'],
    ['float', '{"data":[{"embedding":"AAA="}],"n":1}'],
    ['float', '{"data":[{"embedding":{"int8":[1]}}], "n":1.0}'],
    ['base64', '{"data":{"embedding":[1]}, "n":1.0}'],
    ['base64', '{"data":[{"embedding":[1.0]}'],
    ['int8', '{"data":[{"embedding":"AACAPw=="}], "n":1.0}'],
  ])('changes no byte when it is right or unknown: %s, %s', async (encoding_format, body) => {
    const received = await embed({ encoding_format }, body).buffer(true).parse(bodyText);
    expect(received.body).toBe(body);
  });

  it('stays when the request asks for other numbers than floats', async () => {
    const body = JSON.stringify(response([[1, -128, 127]]));
    const fields = { encoding_format: 'base64', output_dtype: 'int8' };
    expect((await embed(fields, body, 'mistral')).text).toBe(body);
    const converted = await embed({ ...fields, output_dtype: 'float' }, body, 'mistral');
    expect(converted.body).toEqual(response([base64Of([1, -128, 127])]));
  });

  it.each(['berget', 'mistral', 'small'])(
    'is left out of the request when it is null, for %s',
    async (model) => {
      await embed({ encoding_format: null }, asFloats, model);
      expect(tenkey.provider.requests[0]!.body).not.toHaveProperty('encoding_format');
      await embed({ encoding_format: 'float' }, asFloats, model);
      expect(tenkey.provider.requests[1]!.body.encoding_format).toBe('float');
    },
  );

  it('is right for a long response that arrives in pieces', async () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      Array.from({ length: 300 }, (_, at) => (index + at) / 1024),
    );
    const bytes = Buffer.from(JSON.stringify(response(many)));
    for (const [encoding_format, expected] of [
      ['base64', response(many.map(base64Of))],
      ['float', response(many)],
    ] as const) {
      const parts = Array.from({ length: Math.ceil(bytes.length / 40_001) }, (_, index) =>
        bytes.subarray(index * 40_001, (index + 1) * 40_001),
      );
      tenkey.provider.next({ flow: { type: 'application/json', parts } });
      const { body } = await tenkey.call(tenant, 'embeddings', {
        model: 'small',
        input: 'x',
        encoding_format,
      });
      expect(JSON.stringify(body) === JSON.stringify(expected)).toBe(true);
    }
  });
});
