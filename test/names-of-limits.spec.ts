import { describeWithApp } from './support/app';

const models = `
completion_models:
  - { name: gpt, litellm_model_name: openai/gpt-4o }
  - { name: own, litellm_model_name: openai_compatible/qwen3 }
  - { name: azure, litellm_model_name: azure/gpt-4o }
`;
const messages = [{ role: 'user', content: 'hello' }];

describeWithApp('the limit of the output', {}, { models }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-of-the-limits-l1m2' });
    const { url } = tenkey.provider;
    await tenkey.setCredential(tenant, 'openai_compatible', { api_key: 'x', endpoint: `${url}/v1` });
  });
  beforeEach(() => tenkey.provider.reset());

  const setAzure = (api_version: string) =>
    tenkey.setCredential(tenant, 'azure', {
      api_key: 'key-of-the-azure-limits',
      endpoint: tenkey.provider.url,
      deployment_name: 'd',
      api_version,
    });
  /** What the provider receives, and which parameters are named as left out. */
  const sent = async (path: string, body: object) => {
    const response = await tenkey.call(tenant, path, { messages, ...body });
    expect(response.status).toBe(200);
    const { max_tokens, max_completion_tokens, stream_options } = tenkey.provider.requests.at(-1)!
      .body as Record<string, unknown>;
    return {
      limits: { max_tokens, max_completion_tokens },
      stream_options,
      dropped: response.headers['x-tenkey-dropped-params'],
    };
  };

  it('of a message has the name that the server of the model reads', async () => {
    expect((await sent('messages', { model: 'gpt', max_tokens: 9 })).limits).toEqual({
      max_completion_tokens: 9,
    });
    expect((await sent('messages', { model: 'own', max_tokens: 9 })).limits).toEqual({ max_tokens: 9 });
  });

  it('of a chat completion keeps its name at a server of one’s own', async () => {
    const { limits } = await sent('chat/completions', { model: 'own', max_completion_tokens: 9 });
    expect(limits).toEqual({ max_completion_tokens: 9 });
  });

  it.each(['2024-02-15-preview', '2024-02-01', '2024-06-01', '2023-05-15'])(
    'has its old name in Azure’s API of %s, which has no stream_options',
    async (version) => {
      await setAzure(version);
      const stream = { model: 'azure', stream: true, stream_options: { include_usage: true } };
      expect(await sent('chat/completions', { ...stream, max_completion_tokens: 9 })).toEqual({
        limits: { max_tokens: 9 },
        stream_options: undefined,
        dropped: 'stream_options',
      });
      expect(await sent('chat/completions', { model: 'azure', stream: true })).toEqual({
        limits: {},
        stream_options: undefined,
        dropped: undefined,
      });
      expect(await sent('messages', { model: 'azure', stream: true, max_tokens: 9 })).toEqual({
        limits: { max_tokens: 9 },
        stream_options: undefined,
        dropped: undefined,
      });
    },
  );

  it.each(['2024-09-01-preview', '2024-10-21', 'v1', 'preview'])(
    'has its new name in Azure’s API of %s',
    async (version) => {
      await setAzure(version);
      expect(await sent('messages', { model: 'azure', stream: true, max_tokens: 9 })).toEqual({
        limits: { max_completion_tokens: 9 },
        stream_options: { include_usage: true },
        dropped: undefined,
      });
    },
  );
});
