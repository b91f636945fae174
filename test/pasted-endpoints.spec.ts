import { describeWithApp, startTestApp } from './support/app';

const api_key = 'key-of-the-pasted-endpoint-p0q1';
const models = `
completion_models:
  - { name: azure, litellm_model_name: azure/gpt-5 }
  - { name: vllm, litellm_model_name: hosted_vllm/gemma }
  - { name: own, litellm_model_name: openai_compatible/own }
`;

describeWithApp('an endpoint that is the URL of a request', {}, { models }, (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenant = await tenkey.createTenant();
    tenkey.provider.reset();
  });
  const portal = (deployment: string, query = '?api-version=2024-10-21') =>
    `${tenkey.provider.url}/openai/deployments/${deployment}/chat/completions${query}`;
  const set = (provider: string, fields: object) =>
    tenkey.setCredential(tenant, provider, { api_key, ...fields });
  const stored = async () =>
    (await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`)).body.credentials.map(
      (each: any) => each.config,
    );

  it('is cut to the base URL, which message says, and the call reaches the right path', async () => {
    for (const [provider, endpoint, base, path] of [
      ['vllm', '/v1/chat/completions', '/v1', '/v1/chat/completions'],
      ['vllm', '//v1/', '/v1', '/v1/chat/completions'],
      ['own', '/llm/v1/embeddings', '/llm/v1', '/llm/v1/chat/completions'],
    ] as const) {
      const id = provider === 'own' ? 'openai_compatible' : provider;
      const answer = await set(id, { endpoint: tenkey.provider.url + endpoint });
      expect([answer.status, answer.body.message]).toEqual([
        200,
        expect.stringContaining('The endpoint was cut to its base URL.'),
      ]);
      expect(await stored()).toContainEqual({ endpoint: tenkey.provider.url + base });
      tenkey.provider.reset();
      expect((await tenkey.chat(tenant, { model: provider })).status).toBe(200);
      expect(tenkey.provider.requests).toMatchObject([{ path }]);
    }
    const exact = await set('vllm', { endpoint: `${tenkey.provider.url}/v1/` });
    expect(exact.body.message).not.toContain('cut');
  });

  it("is cut when it comes from Azure's portal, and says what the other fields leave out", async () => {
    const answer = await set('azure', { endpoint: portal('of-the-url') });
    expect([answer.status, answer.body.message]).toEqual([
      200,
      expect.stringContaining('cut to its base URL, and its api_version and deployment_name used.'),
    ]);
    expect(answer.text).not.toContain('of-the-url');
    expect(await stored()).toEqual([
      { endpoint: tenkey.provider.url, api_version: '2024-10-21', deployment_name: 'of-the-url' },
    ]);
    expect((await tenkey.chat(tenant, { model: 'azure' })).status).toBe(200);
    expect(tenkey.provider.requests).toMatchObject([
      { path: '/openai/deployments/of-the-url/chat/completions', query: { 'api-version': '2024-10-21' } },
    ]);
  });

  it('is refused when it contradicts another field, and the stored credential stays', async () => {
    const fields = { api_version: '2024-10-21', deployment_name: 'usual' };
    await set('azure', { ...fields, endpoint: tenkey.provider.url });
    const before = await stored();
    for (const [changed, paths] of [
      [{ endpoint: portal('another') }, ['deployment_name']],
      [{ endpoint: portal('usual', '?api-version=2025-01-01-preview') }, ['api_version']],
      [{ endpoint: portal('another', '?api-version=v1') }, ['api_version', 'deployment_name']],
    ] as const) {
      for (const query of ['', '?stage=true']) {
        const { status, body, text } = await tenkey
          .sysadmin('put', `/tenants/${tenant}/credentials/azure${query}`)
          .send({ api_key, ...fields, ...changed });
        expect([status, body.code]).toEqual([422, 'credential_validation_failed']);
        expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
        expect(body.errors[0].message).toContain('differs from what the URL in endpoint says');
        expect(text).not.toMatch(/another|2025-01-01/);
      }
    }
    expect(await stored()).toEqual(before);
    // A URL of any of its deployments is fine.
    const mapped = await set('azure', {
      ...fields,
      endpoint: portal('mini'),
      deployments: { 'gpt-5-mini': 'mini' },
    });
    expect(mapped.status).toBe(200);
  });

  it('is also cut when a credential is staged', async () => {
    const staged = await tenkey
      .sysadmin('put', `/tenants/${tenant}/credentials/vllm?stage=true`)
      .send({ api_key, endpoint: `${tenkey.provider.url}/v1/chat/completions` });
    expect(staged.body.message).toContain('The endpoint was cut to its base URL.');
    await tenkey.sysadmin('post', `/tenants/${tenant}/credentials/vllm/promote`);
    expect(await stored()).toEqual([{ endpoint: `${tenkey.provider.url}/v1` }]);
  });

  it('does not get past the address policy, and any other query or a fragment is refused', async () => {
    for (const endpoint of ['http://169.254.169.254/v1/chat/completions', 'http://localhost//v1']) {
      const answer = await set('vllm', { endpoint });
      expect([answer.status, answer.body.code]).toEqual([422, 'endpoint_not_allowed']);
    }
    for (const endpoint of [
      'https://a.example/v1/chat/completions?key=q7zk',
      'https://a.example/v1/chat/completions#q7zk',
      'https://q7zk@a.example/v1/chat/completions',
    ]) {
      for (const provider of ['vllm', 'azure']) {
        const others = provider === 'azure' ? { api_version: 'v1', deployment_name: 'd' } : {};
        const answer = await set(provider, { endpoint, ...others });
        expect([answer.status, answer.body.errors[0].path]).toEqual([422, 'endpoint']);
        expect(answer.text).not.toContain('q7zk');
      }
    }
  });

  it('is cut in the environment and in the catalogue as well', async () => {
    const single = await startTestApp(
      {
        TENANT_CREDENTIALS_ENABLED: 'false',
        VLLM_API_KEY: 'EMPTY',
        VLLM_MODEL_URL: `${tenkey.provider.url}/of-the-variable/v1/chat/completions`,
        OURS_API_KEY: 'EMPTY',
        AZURE_API_KEY: 'azure-global-key-w1x2',
        AZURE_ENDPOINT: portal('of-the-url'),
      },
      {
        databaseUrl: tenkey.databaseUrl,
        models: `
providers: [{ id: ours, kind: openai_compatible, endpoint: ${tenkey.provider.url}/declared/v1/chat/completions }]
completion_models:
  - { name: vllm, litellm_model_name: hosted_vllm/gemma }
  - { name: legacy, family: vllm, base_url: ${tenkey.provider.url}/of-the-model/v1/chat/completions }
  - { name: azure, litellm_model_name: azure/gpt-5 }
  - { name: declared, litellm_model_name: ours/x }
`,
      },
    );
    try {
      for (const model of ['vllm', 'legacy', 'azure', 'declared'])
        expect([model, (await single.chat(tenant, { model })).status]).toEqual([model, 200]);
      expect(tenkey.provider.requests.map(({ path }) => path)).toEqual([
        '/of-the-variable/v1/chat/completions',
        '/of-the-model/v1/chat/completions',
        '/openai/deployments/of-the-url/chat/completions',
        '/declared/v1/chat/completions',
      ]);
    } finally {
      await single.close();
    }
  });
});
