import { fixedProviders } from '#providers';
import { describeWithApp } from './support/app';
import { OpenApi } from './support/openapi';

const tenants = '/api/v1/sysadmin/tenants';
const azure = {
  api_key: 'key-of-azure-0001',
  endpoint: 'https://any.openai.azure.com',
  api_version: '2024-10-21',
  deployment_name: 'gpt-4o',
};

type Case = readonly [body: unknown, isAccepted: boolean];

const namesOfTenants: Case[] = [
  [{ name: 'plain' }, true],
  [{ name: '  with whitespace at its ends\n' }, true],
  [{ name: 'å'.repeat(200) }, true],
  [{ name: 'a'.repeat(201) }, false],
  [{ name: '' }, false],
  [{ name: 'with\u0007control' }, false],
  [{ name: null }, false],
  [{ name: 5 }, false],
];

const keysOfTenants: Case[] = [
  [{ name: 'x'.repeat(100) }, true],
  [{ name: 'x'.repeat(101) }, false],
  [{ name: '' }, false],
  [{}, false],
  [{ name: 'a', expires_at: null, allowed_models: null, requests_per_minute: null }, true],
  [{ name: 'a', expires_at: '2099-01-31T12:00:00+01:00' }, true],
  [{ name: 'a', expires_at: '2099-01-31' }, false],
  [{ name: 'a', expires_at: '2099-01-31T12:00:00' }, false],
  [{ name: 'a', allowed_models: ['gpt-4o'] }, true],
  [{ name: 'a', allowed_models: [] }, false],
  [{ name: 'a', allowed_models: [''] }, false],
  [{ name: 'a', allowed_models: ['gpt-4o', 'gpt-4o'] }, false],
  [{ name: 'a', allowed_models: 'gpt-4o' }, false],
  [{ name: 'a', requests_per_minute: 1 }, true],
  [{ name: 'a', requests_per_minute: 1_000_000 }, true],
  [{ name: 'a', requests_per_minute: 0 }, false],
  [{ name: 'a', requests_per_minute: 1_000_001 }, false],
  [{ name: 'a', requests_per_minute: 1.5 }, false],
  [{ name: 'a', requests_per_minute: '60' }, false],
  [{ name: 'a', tokens_per_minute: 1_000_000_000 }, true],
  [{ name: 'a', tokens_per_minute: 1_000_000_001 }, false],
];

const sysadminKeys: Case[] = [
  [{ name: 'a', scopes: ['tenants:read', 'usage:read'] }, true],
  [{ name: 'a', scopes: ['tenants:read'], tenant_ids: null }, true],
  [{ name: 'a' }, false],
  [{ name: 'a', scopes: [] }, false],
  [{ name: 'a', scopes: null }, false],
  [{ name: 'a', scopes: ['tenants:read', 'tenants:read'] }, false],
  [{ name: 'a', scopes: ['tenants:delete'] }, false],
  [{ name: 'a', scopes: ['tenants:read'], tenant_ids: [] }, false],
  [{ name: 'a', scopes: ['tenants:read'], tenant_ids: ['sundsvall'] }, false],
];

/** Bodies of each route that has one, and whether the service accepts them. */
const cases: Readonly<Record<string, readonly Case[]>> = {
  [`POST ${tenants}`]: [
    ...namesOfTenants,
    [{}, false],
    [[], false],
    [{ name: 'with-an-unknown-field', colour: 'blue' }, true],
    [{ name: 'with-nulls', id: null, display_name: null, contact_email: null }, true],
    [{ name: 'suspended', state: 'suspended' }, true],
    [{ name: 'state-null', state: null }, false],
    [{ name: 'state-unknown', state: 'Active' }, false],
    [{ name: 'id', id: '0B9D4A0E-6C1B-0D59-0F0E-3B8C2F1F7A10' }, true],
    [{ name: 'no-id', id: '0b9d4a0e' }, false],
    [{ name: 'display', display_name: 'x'.repeat(500) }, true],
    [{ name: 'display-long', display_name: 'x'.repeat(501) }, false],
    [{ name: 'contact', contact_email: ' it-drift@sundsvall.example ' }, true],
    [{ name: 'two-contacts', contact_email: 'a@b.example, c@d.example' }, false],
    [{ name: 'no-contact', contact_email: 'it-drift' }, false],
  ],
  [`PUT ${tenants}/{tenant_id}`]: [
    ...namesOfTenants.filter(([, isAccepted]) => !isAccepted),
    [{}, false],
    [{ name: 'put-nulls', display_name: null, contact_email: null, expected_providers: null }, true],
    [{ name: 'state-null', state: null }, false],
    [{ name: 'expected', expected_providers: ['openai', 'azure'] }, true],
    [{ name: 'expected', expected_providers: [] }, true],
    [{ name: 'expected', expected_providers: ['openai', 'openai'] }, false],
    [{ name: 'expected', expected_providers: 'openai' }, false],
    [{ name: 'bound', allowed_hosting: ['eu'], allowed_providers: ['openai'], egress_allow: [] }, true],
    [{ name: 'bound', allowed_hosting: [''] }, false],
    [{ name: 'bound', allowed_hosting: ['eu', 'eu'] }, false],
    [{ name: 'bound', allowed_providers: 'openai' }, false],
    [{ name: 'bound', egress_allow: ['10.0.0.1:80', '10.0.0.1:80'] }, false],
  ],
  [`PATCH ${tenants}/{tenant_id}`]: [
    [{}, true],
    [{ name: null }, false],
    [{ name: '' }, false],
    [{ display_name: null, contact_email: null }, true],
    [{ state: null }, false],
    [{ state: 'active' }, true],
  ],
  [`POST ${tenants}/{tenant_id}/keys`]: keysOfTenants,
  [`PUT ${tenants}/{tenant_id}/keys/{key_id}`]: keysOfTenants,
  'POST /api/v1/sysadmin/keys': sysadminKeys,
  'PUT /api/v1/sysadmin/keys/{key_id}': sysadminKeys,
  'POST /api/v1/sysadmin/receipts/verify': [
    [{ receipt: 'not-a-receipt' }, true],
    [{ receipt: 'x'.repeat(8192) }, true],
    [{ receipt: 'x'.repeat(8193) }, false],
    [{ receipt: '' }, false],
    [{ receipt: null }, false],
    [{}, false],
  ],
};

/** The same for the credentials of a provider. */
const credentials: readonly [provider: string, body: unknown, isAccepted: boolean][] = [
  ['openai', { api_key: '12345678' }, true],
  ['openai', { api_key: ' 12345678\r\n' }, true],
  ['openai', { api_key: '1234567' }, false],
  ['openai', { api_key: 'k'.repeat(10240) }, true],
  ['openai', { api_key: 'k'.repeat(10241) }, false],
  ['openai', { api_key: 'a-key-of-ümeå' }, false],
  ['openai', { api_key: 'a-key\nin-two-lines' }, false],
  ['openai', { api_key: null }, false],
  ['openai', { api_key: 12345678 }, false],
  ['openai', {}, false],
  ['openai', { api_key: '12345678', endpoint: null, expires_at: null }, true],
  ['openai', { api_key: '12345678', endpoint: ' HTTPS://any.example/v1 ' }, true],
  ['openai', { api_key: '12345678', endpoint: 'any.example/v1' }, false],
  ['openai', { api_key: '12345678', endpoint: '' }, false],
  ['openai', { api_key: '12345678', expires_at: '2030-06-30' }, true],
  ['openai', { api_key: '12345678', expires_at: '2030-06-30T12:00:00.123Z' }, true],
  ['openai', { api_key: '12345678', expires_at: '30.6.2030' }, false],
  ['openai', { api_key: '12345678', expires_at: '' }, false],
  ['vllm', { api_key: 'k' }, true],
  ['vllm', { api_key: '' }, false],
  ['azure', azure, true],
  ['azure', { ...azure, endpoint: undefined }, false],
  ['azure', { ...azure, api_version: ' v1 ' }, true],
  ['azure', { ...azure, api_version: '2024/10/21' }, false],
  ['azure', { ...azure, deployment_name: 'd'.repeat(64) }, true],
  ['azure', { ...azure, deployment_name: 'd'.repeat(65) }, false],
  ['azure', { ...azure, deployments: {} }, true],
  ['azure', { ...azure, deployments: { 'gpt-4o': 'dep.1' } }, true],
  ['azure', { ...azure, deployments: { 'gpt-4o': 'dep/1' } }, false],
  ['azure', { ...azure, deployments: { 'gpt-4o': null } }, false],
  ['azure', { ...azure, deployments: [] }, false],
];

describeWithApp('the schema of a body refuses what the service refuses, and nothing else:', (tenkey) => {
  let api: OpenApi;
  let tenant: string;
  beforeAll(async () => {
    api = await OpenApi.of(tenkey);
    tenant = await tenkey.createTenant();
  });

  it('every route that has a body is in the table', () => {
    const withBody = api.routes.filter(
      ({ path, operation }) => path.startsWith('/api/') && operation.requestBody,
    );
    const inTable = [...Object.keys(cases), `PUT ${tenants}/{tenant_id}/credentials/{provider}`];
    expect(withBody.map(({ name }) => name).sort()).toEqual(inTable.sort());
  });

  it.each(Object.entries(cases))('%s', async (name, bodies) => {
    const { method, path, operation } = api.route(name);
    const { schema } = operation.requestBody.content['application/json'];
    const collection = path
      .replace('/api/v1/sysadmin', '')
      .replace('/{key_id}', '')
      .replace('{tenant_id}', tenant);
    let url = collection;
    if (path.endsWith('{key_id}')) {
      const key = await tenkey.sysadmin('post', collection).send({ name: 'a', scopes: ['tenants:read'] });
      url = `${collection}/${key.body.id}`;
    }
    for (const [body, isAccepted] of bodies) {
      const { status } = await tenkey.sysadmin(method as 'post', url).send(body as object);
      const faults = api.faultsOf(body, schema as object);
      expect([body, status < 300, faults]).toEqual([
        body,
        isAccepted,
        isAccepted ? [] : expect.arrayContaining([expect.any(String)]),
      ]);
    }
  });

  it('a credential of each kind of provider', async () => {
    const { schema } = api.route(`PUT ${tenants}/{tenant_id}/credentials/{provider}`).operation.requestBody
      .content['application/json'];
    const schemaOf = new Map(fixedProviders.map(({ id }, index) => [id, schema.anyOf[index] as object]));
    for (const [provider, body, isAccepted] of credentials) {
      const { status } = await tenkey.setCredential(tenant, provider, body as Record<string, unknown>);
      const faults = api.faultsOf(JSON.parse(JSON.stringify(body)), schemaOf.get(provider)!);
      expect([provider, body, status, faults]).toEqual([
        provider,
        body,
        isAccepted ? 200 : 422,
        isAccepted ? [] : expect.arrayContaining([expect.any(String)]),
      ]);
    }
  });
});
