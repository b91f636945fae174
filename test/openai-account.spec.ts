import { describeWithApp, platformKey, startTestApp } from './support/app';

const api_key = 'sk-key-of-several-accounts-a1b2';
const account = { organization: 'org-of-the-tenant', project: 'proj_of_the_tenant' };
const models = '- { name: gpt-4o, litellm_model_name: gpt-4o }\n- { name: legacy, family: openai }\n';

describeWithApp('the account of an OpenAI credential', {}, { models }, (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenant = await tenkey.createTenant();
    tenkey.provider.reset();
  });
  const set = (fields: object, query = '') =>
    tenkey.sysadmin('put', `/tenants/${tenant}/credentials/openai${query}`).send({ api_key, ...fields });
  const sent = () =>
    tenkey.provider.requests.map(({ headers }) => [
      headers['openai-organization'],
      headers['openai-project'],
    ]);
  const chatWith = (headers: Record<string, string>) =>
    tenkey
      .http()
      .post('/v1/chat/completions')
      .set({ 'x-api-key': platformKey, 'x-tenant-id': tenant, ...headers })
      .send({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] });

  it('is sent with each call and with the probe, and shown in the list', async () => {
    expect((await set(account, '?verify=true')).status).toBe(200);
    await tenkey.sysadmin('post', `/tenants/${tenant}/credentials/openai/verify`);
    expect((await tenkey.chat(tenant)).status).toBe(200);
    const both = [account.organization, account.project];
    expect(sent()).toEqual([both, both, both]);
    const { body } = await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`);
    expect(body.credentials[0].config).toEqual(account);
  });

  it('is never chosen by a client', async () => {
    const chosen = { 'OpenAI-Organization': 'org-of-somebody', 'OpenAI-Project': 'proj_of_somebody' };
    await set({ project: account.project });
    expect((await chatWith(chosen)).status).toBe(200);
    await set({});
    expect((await chatWith(chosen)).status).toBe(200);
    expect(sent()).toEqual([
      [undefined, account.project],
      [undefined, undefined],
    ]);
  });

  it.each(['org\nx: y', 'org\r\n', 'o r g', 'örg', '', 7, ['org'], 'x'.repeat(129)])(
    'is refused when it cannot be a header: %j',
    async (organization) => {
      const answer = await set({ organization });
      const isTrimmed = organization === 'org\r\n';
      expect(answer.status).toBe(isTrimmed ? 200 : 422);
      if (!isTrimmed)
        expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(['organization']);
    },
  );

  it('comes from the variables of OpenAI’s clients in single-tenant mode', async () => {
    const single = await startTestApp(
      {
        TENANT_CREDENTIALS_ENABLED: 'false',
        OPENAI_API_KEY: api_key,
        OPENAI_ORG_ID: 'org-of-the-operator',
        OPENAI_PROJECT_ID: 'proj_of_the_operator',
        OPENAI_BASE_URL: `${tenkey.provider.url}/v1`,
      },
      { models, databaseUrl: tenkey.databaseUrl },
    );
    try {
      for (const model of ['gpt-4o', 'legacy'])
        expect((await single.chat(tenant, { model })).status).toBe(200);
      const both = ['org-of-the-operator', 'proj_of_the_operator'];
      expect(sent()).toEqual([both, both]);
    } finally {
      await single.close();
    }
  });

  it('keeps a call of a legacy model from another account when its variable is not valid', async () => {
    const opted = await startTestApp(
      {
        LEGACY_MODELS_USE_GLOBAL_KEYS: 'true',
        OPENAI_API_KEY: api_key,
        OPENAI_PROJECT_ID: 'sentinel not valid',
        OPENAI_BASE_URL: `${tenkey.provider.url}/v1`,
      },
      { models, databaseUrl: tenkey.databaseUrl },
    );
    try {
      const answer = await opted.chat(tenant, { model: 'legacy' });
      expect([answer.status, answer.body.error.code]).toEqual([424, 'endpoint_not_configured']);
      expect(answer.body.error.message).toContain('Correct OPENAI_PROJECT_ID');
      expect(answer.text).not.toContain('sentinel');
      expect(sent()).toEqual([]);
    } finally {
      await opted.close();
    }
  });
});
