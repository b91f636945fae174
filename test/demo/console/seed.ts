import { type DataSource } from 'typeorm';
import { type ProviderServer } from '../../support/provider-server';
import { type Incident, planOf, type SeededProvider, type TenantPlan } from './plan';
import { fromNow, type SysadminApi } from './sysadmin-api';

/** What is seeded: a running service. */
export interface SeedTarget {
  readonly api: SysadminApi;
  readonly provider: ProviderServer;
  readonly database: DataSource;
}

export interface SeededCredential {
  readonly provider: SeededProvider;
  readonly key: string;
}

export interface SeededTenant extends TenantPlan {
  readonly id: string;
  readonly credentials: readonly SeededCredential[];
  readonly keyIds: readonly string[];
}

/** How many changes are under way at once. */
const LANES = 8;

/** Sysadmin keys of the people and jobs that share the work. */
const sysadminKeys = [
  {
    name: 'helpdesk',
    scopes: ['tenants:read', 'credentials:read', 'readiness:read', 'keys:write', 'usage:read'],
  },
  { name: 'billing job', scopes: ['usage:read', 'tenants:read'], expires_at: fromNow({ days: 20 }) },
  { name: 'night watch', scopes: ['readiness:read', 'credentials:read'] },
  { name: 'auditor', scopes: ['audit:read'] },
] as const;

/** Creates tenants with credentials and keys through the API, and gives some of them the faults that a sysadmin finds in the morning. */
export async function seedTenants(target: SeedTarget, count: number): Promise<SeededTenant[]> {
  const waiting = planOf(count).map((plan, at) => ({ plan, at }));
  const tenants: SeededTenant[] = [];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      tenants[next.at] = await createTenant(target, next.plan);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const tenant of tenants) await causeIncident(target, tenant);
  await createSysadminKeys(target, tenants);
  return tenants;
}

async function createSysadminKeys({ api }: SeedTarget, tenants: readonly SeededTenant[]): Promise<void> {
  for (const fields of sysadminKeys) await api('POST', '/keys', fields);
  const some = tenants.slice(0, 3).map(({ id }) => id);
  const { key } = await api<{ key: string }>('POST', '/keys', {
    name: 'administrator of three tenants',
    scopes: ['tenants:read', 'credentials:read', 'credentials:write'],
    tenant_ids: some,
  });
  // The audit names who made a change, and which were refused.
  await api('PATCH', `/tenants/${some[0]}`, { contact_email: 'helpdesk@demo.example' });
  await api('POST', `/tenants/${some[0]}/keys`, { name: 'not allowed' }, key).catch(() => undefined);
}

async function createTenant({ api, provider: server }: SeedTarget, plan: TenantPlan): Promise<SeededTenant> {
  const { name, displayName, providers, incident } = plan;
  const { id } = await api<{ id: string }>('POST', '/tenants', {
    name,
    display_name: displayName,
    contact_email: `it@${name}.example`,
    expected_providers: providers,
  });
  const credentials = providers.map((provider) => ({ provider, key: keyOf(name, provider) }));
  for (const [at, { provider, key }] of credentials.entries()) {
    if (at === 0 && incident === 'missing') continue;
    await api('PUT', `/tenants/${id}/credentials/${provider}`, {
      ...fieldsOf(server, provider, key),
      expires_at: at === 0 ? incident && expiries[incident] : fromNow({ days: 90 + name.length * 20 }),
    });
  }
  const keyIds: string[] = [];
  for (const [at, keyName] of plan.keyNames.entries()) {
    const limits = at === 0 ? {} : { requests_per_minute: 600, tokens_per_minute: 200_000 };
    const { id: keyId } = await api<{ id: string }>('POST', `/tenants/${id}/keys`, {
      name: keyName,
      ...limits,
    });
    keyIds.push(keyId);
  }
  return { ...plan, id, credentials, keyIds };
}

/** A made-up key. Its last characters differ, as the mask shows them. */
function keyOf(name: string, provider: SeededProvider, generation = 1): string {
  let sum = generation;
  for (const letter of `${name} ${provider}`) sum = (sum * 31 + letter.charCodeAt(0)) % 36 ** 4;
  return `demo-key-of-${name}-for-${provider}-${sum.toString(36).padStart(4, '0')}`;
}

/** The fields of a credential with this key, whose endpoint is the local provider. */
export function fieldsOf(
  { url }: ProviderServer,
  provider: SeededProvider,
  key: string,
): Record<string, string> {
  if (provider === 'vllm') return { api_key: key, endpoint: `${url}/v1` };
  if (provider !== 'azure') return { api_key: key };
  const deployment = { api_version: '2024-10-21', deployment_name: 'gpt-4o-sweden' };
  return { api_key: key, endpoint: `${url}/azure`, ...deployment };
}

const expiries: Partial<Record<Incident, string>> = {
  expired: fromNow({ hours: -50 }),
  'expires in 1 day': fromNow({ hours: 20 }),
  'expires in 7 days': fromNow({ days: 5.5 }),
  'expires in 30 days': fromNow({ days: 22.5 }),
};

async function causeIncident(
  target: SeedTarget,
  { id, name, incident, credentials }: SeededTenant,
): Promise<void> {
  const { api, provider: server, database } = target;
  const { provider, key } = credentials[0]!;
  const path = `/tenants/${id}/credentials/${provider}`;
  const sql = (statement: string, ...values: unknown[]) =>
    database.query(statement, [id, provider, ...values]);
  switch (incident) {
    case 'rejected':
      server.rejectKey(key);
      await api('POST', `${path}/verify`);
      // It was not rejected just now, but earlier this night.
      await sql(
        `update credential_health set rejected_at = rejected_at - interval '1 minute' * $3
         where tenant_id = $1 and provider = $2 and rejected_at is not null`,
        60 + name.length * 37,
      );
      return;
    case 'unreadable':
      await sql(
        `update tenant_credentials set key_id = $3 where tenant_id = $1 and provider = $2`,
        '0123456789ab',
      );
      return;
    case 'tampered':
      await sql(
        `update tenant_credentials set configured_at = configured_at - interval '1 day' where tenant_id = $1 and provider = $2`,
      );
      return;
    case 'staged':
    case 'previous':
      await api('PUT', `${path}?stage=true`, fieldsOf(server, provider, keyOf(name, provider, 2)));
      if (incident === 'previous') await api('POST', `${path}/promote`);
      return;
    case 'suspended':
      await api('PATCH', `/tenants/${id}`, { state: 'suspended' });
      return;
    case 'missing':
    case 'expired':
    case 'expires in 1 day':
    case 'expires in 7 days':
    case 'expires in 30 days':
    case undefined:
      return;
  }
}
