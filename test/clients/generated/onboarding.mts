// What a platform does when it takes on a tenant, with the types that openapi-typescript makes of the document. The types are
// the test: `// @ts-expect-error` fails to compile where the document no longer forbids something.
//   node onboarding.mjs <address of Tenkey> <super key>     prints what it saw, as JSON
import createClient from 'openapi-fetch';
import type { components, operations, paths } from './dist/schema.js';

type Schemas = components['schemas'];

const [baseUrl = '', key = ''] = process.argv.slice(2);
const tenkey = createClient<paths>({ baseUrl, headers: { 'X-API-Key': key } });

const created = await tenkey.POST('/api/v1/sysadmin/tenants', { body: { name: 'of-a-generated-client' } });
const tenant: Schemas['TenantResponse'] = known(created.data);
const state: 'active' | 'suspended' = tenant.state;
const of = { path: { tenant_id: tenant.id } };
const ofAzure = { path: { tenant_id: tenant.id, provider: 'azure' } };
const credential = '/api/v1/sysadmin/tenants/{tenant_id}/credentials/{provider}';

const body: Schemas['AzureCredential'] = {
  api_key: 'key-of-a-generated-client-xyz9',
  endpoint: 'https://generated.openai.azure.com',
  api_version: '2024-10-21',
  deployment_name: 'gpt-4o-sweden',
  deployments: { 'gpt-4o-mini': 'gpt-4o-mini-sweden' },
};
const set = await tenkey.PUT(credential, { params: ofAzure, body });
const masked: string = known(set.data).masked_key;

const list = await tenkey.GET('/api/v1/sysadmin/tenants/{tenant_id}/credentials', { params: of });
const [listed] = known(list.data).credentials;
const status: Schemas['CredentialStatus'] | undefined = listed?.status;
// @ts-expect-error: a credential without an expiry has null.
const expiry: string | undefined = listed?.expires_at;
const days: 30 | 7 | 1 | 0 | null | undefined = listed?.expires_within_days;

const refused = await tenkey.PUT(credential, { params: ofAzure, body: { api_key: 'short' } });
const problem: Schemas['Problem'] = known(refused.error);
const isExpected: boolean = problem.code === 'credential_validation_failed';
// @ts-expect-error: no problem has this code.
const isUnknown: boolean = problem.code === 'credential_invalid';
const faults = (problem.errors ?? []).map((fault) => fault.path);

const removed = await tenkey.DELETE(credential, { params: ofAzure });
const again = await tenkey.DELETE(credential, { params: ofAzure });
const deleted = await tenkey.DELETE('/api/v1/sysadmin/tenants/{tenant_id}', { params: of });
const missing = await tenkey.GET('/api/v1/sysadmin/tenants/{tenant_id}', { params: of });

console.log(
  JSON.stringify({
    created: [created.response.status, tenant.name, state],
    set: [set.response.status, masked],
    listed: [listed?.provider, listed?.masked_key, status, expiry, days, listed?.verification],
    refused: [refused.response.status, isExpected, isUnknown, faults],
    removed: [removed.data?.deleted, again.data?.deleted],
    deleted: [deleted.response.status, missing.error?.code],
  }),
);

/** Only for the compiler. */
export function neverCalled(): unknown[] {
  type Query = NonNullable<operations['setCredential']['parameters']['query']>;
  const query: Query = { verify: true, stage: false };
  const params = { ...ofAzure, query };
  return [
    // @ts-expect-error: nobody may have verified it.
    listed?.verification.outcome,
    tenkey.PUT(credential, { params, body: { api_key: 'sk-any-key', expires_at: null } }),
    // @ts-expect-error: every credential has an api_key.
    tenkey.PUT(credential, { params, body: { expires_at: null } }),
    // @ts-expect-error: the path has a provider.
    tenkey.PUT(credential, { params: of, body }),
    // @ts-expect-error: there is no such route.
    tenkey.GET('/api/v1/sysadmin/tenant'),
    // @ts-expect-error: a tenant has a name.
    tenkey.POST('/api/v1/sysadmin/tenants', { body: { display_name: 'Sundsvalls kommun' } }),
    // @ts-expect-error: a name is not null.
    tenkey.PATCH('/api/v1/sysadmin/tenants/{tenant_id}', { params: of, body: { name: null } }),
    // @ts-expect-error: this is no scope.
    tenkey.POST('/api/v1/sysadmin/keys', { body: { name: 'any', scopes: ['tenants:delete'] } }),
  ];
}

/** What a response must have here. */
function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The response has another status than expected.');
  return value;
}
