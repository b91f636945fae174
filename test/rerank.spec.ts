import { platformKey, startTestApp, type TestApp } from './support/app';
import { type ProviderServer, startProviderServer } from './support/provider-server';
import { usageRecords } from './support/usage';

const models = `
rerank_models:
  - { name: rerank-cohere, litellm_model_name: cohere/rerank-v3.5 }
  - { name: rerank-vllm, litellm_model_name: hosted_vllm/BAAI/bge-reranker-v2-m3 }
  - { name: rerank-scaleway, litellm_model_name: scaleway/qwen3-reranker }
  - { name: rerank-own, litellm_model_name: openai_compatible/own-reranker }
  - { name: rerank-openai, litellm_model_name: openai/none }
completion_models:
  - { name: chat, litellm_model_name: cohere/command-a }
`;
const question = {
  query: 'Where is Umeå?',
  documents: ['In Sweden.', 'In a cupboard.', 'Nowhere.'],
  top_n: 2,
};
const keyOf = (provider: string) => `key-of-${provider}-r4nk`;

describe('reranking', () => {
  let server: ProviderServer;
  let tenkey: TestApp;
  let tenant: string;
  beforeAll(async () => {
    server = await startProviderServer();
    const env = { COHERE_BASE_URL: server.url, EGRESS_ALLOW: `127.0.0.1:${server.port}` };
    tenkey = await startTestApp(env, { models });
  });
  beforeEach(async () => {
    server.reset();
    tenant = await tenkey.createTenant();
    for (const [provider, endpoint] of [
      ['cohere', undefined],
      ['vllm', server.url],
      ['scaleway', `${server.url}/v1`],
      ['openai_compatible', `${server.url}/api`],
    ] as const) {
      const { status } = await tenkey.setCredential(tenant, provider, { api_key: keyOf(provider), endpoint });
      expect([provider, status]).toEqual([provider, 200]);
    }
  });
  afterAll(async () => {
    await tenkey.close();
    await server.close();
  });

  const served = [
    ['rerank-cohere', 'cohere', '/v2/rerank', 'rerank-v3.5'],
    ['rerank-vllm', 'vllm', '/v1/rerank', 'BAAI/bge-reranker-v2-m3'],
    ['rerank-scaleway', 'scaleway', '/v1/rerank', 'qwen3-reranker'],
    ['rerank-own', 'openai_compatible', '/api/rerank', 'own-reranker'],
  ] as const;

  it.each(served)(
    'with %s goes to %s at %s, unchanged but for the model',
    async (model, id, path, upstream) => {
      const answer = await tenkey.call(tenant, 'rerank', { model, ...question });
      expect([answer.status, answer.body.results]).toEqual([
        200,
        [
          { index: 0, relevance_score: 1 },
          { index: 1, relevance_score: 0.5 },
        ],
      ]);
      expect(server.requests).toMatchObject([{ method: 'POST', path, key: keyOf(id) }]);
      expect(server.requests[0]!.body).toEqual({ model: upstream, ...question });
    },
  );

  it("is metered in Cohere's search units, and in tokens where the provider reports their total", async () => {
    for (const model of ['rerank-cohere', 'rerank-vllm']) {
      expect((await tenkey.call(tenant, 'rerank', { model, ...question })).status).toBe(200);
    }
    const records = await usageRecords(tenkey, 2, `&tenant_id=${tenant}`);
    expect(records).toMatchObject([
      { operation: 'rerank', input_tokens: null, output_tokens: null, search_units: 1 },
      { operation: 'rerank', input_tokens: 7, output_tokens: null, search_units: null },
    ]);
    const report = await tenkey.sysadmin('get', `/tenants/${tenant}/usage?group_by=model`);
    expect(report.body.total).toMatchObject({ calls: 2, unmetered: 0, input_tokens: 7, search_units: 1 });
  });

  it('is unmetered when the provider reports nothing', async () => {
    server.next({ body: { results: [{ index: 0, relevance_score: 1 }] } });
    await tenkey.call(tenant, 'rerank', { model: 'rerank-vllm', ...question });
    await usageRecords(tenkey, 1, `&tenant_id=${tenant}`);
    const report = await tenkey.sysadmin('get', `/tenants/${tenant}/usage`);
    expect(report.body.total).toMatchObject({ calls: 1, unmetered: 1, search_units: 0 });
  });

  it('is refused for a model of another kind, and for a provider that has no such operation', async () => {
    for (const [model, text] of [
      ['chat', 'chat is not a model for /v1/rerank'],
      ['rerank-openai', 'OpenAI does not serve /v1/rerank'],
    ] as const) {
      const answer = await tenkey.call(tenant, 'rerank', { model, ...question });
      expect([answer.status, answer.body.error.code]).toEqual([400, 'endpoint_not_supported']);
      expect(answer.body.error.message).toContain(text);
    }
    expect(server.calls.begun).toBe(0);
  });

  it('has models that the list, the explanation and the readiness report know', async () => {
    const explained = await tenkey.sysadmin('get', `/tenants/${tenant}/models`);
    const list = explained.body.models;
    expect(list.find(({ name }: { name: string }) => name === 'rerank-cohere')).toMatchObject({
      kind: 'rerank',
      provider: 'cohere',
      endpoints: ['/v1/rerank'],
      ready: true,
    });
    const readiness = await tenkey.sysadmin('get', '/readiness?mode=strict');
    expect(JSON.stringify(readiness.body)).toContain('scaleway');
    const listed = await tenkey
      .http()
      .get('/v1/models/rerank-vllm')
      .set({ 'x-api-key': platformKey, 'x-tenant-id': tenant });
    expect(listed.body.tenkey).toEqual({ provider: 'vllm', adapter: 'litellm', ready: true });
  });
});
