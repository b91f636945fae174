import { setTimeout as wait } from 'node:timers/promises';
import { AuditLogService } from '#audit';
import { startTestApp, superKey, type TestApp } from './support/app';
import { issueSysadminKey, issueTenantKey } from './support/keys';
import { type ProviderServer, startProviderServer } from './support/provider-server';
import { usageRecords } from './support/usage';

const modelOf = { openai: 'gpt-4o', anthropic: 'claude-sonnet', azure: 'azure-gpt-4o', vllm: 'gemma-vllm' };
type ProviderId = keyof typeof modelOf;
const models = `completion_models:
${Object.entries(modelOf)
  .map(([provider, name]) => `  - name: ${name}\n    litellm_model_name: ${provider}/upstream-${name}\n`)
  .join('')}`;
const providerIds = Object.keys(modelOf) as ProviderId[];

/** A provider key that names its tenant and provider, so that the server that receives it can tell whose it is. */
const keyFor = (tenant: string, provider: ProviderId, number: number) =>
  `key-${tenant}-${provider}-${number}-${tenant.slice(0, 1)}${provider.slice(0, 2)}${number}`;
const ownerOf = (key = '') => {
  const [, tenant, provider] = key.split('-');
  return `${tenant} ${provider} ...${key.slice(-4)}`;
};

describe('a day of three tenants with four providers', () => {
  let tenkey: TestApp;
  const servers = {} as Record<ProviderId, ProviderServer>;
  const ids: Record<string, string> = {};
  const names: Record<string, string> = {};
  /** The audit that the script expects, and the requests that the providers saw, line by line. */
  const audit: string[] = [];
  const seen: string[] = [];
  const usage: string[] = [];
  const receipts: string[] = [];

  beforeAll(async () => {
    for (const id of ['anthropic', 'azure', 'vllm'] as const) servers[id] = await startProviderServer();
    const env = { ANTHROPIC_BASE_URL: servers.anthropic.url, EGRESS_ALLOW: '127.0.0.1:*' };
    tenkey = await startTestApp(env, { models });
    servers.openai = tenkey.provider;
  });
  afterAll(async () => {
    await tenkey.close();
    for (const id of ['anthropic', 'azure', 'vllm'] as const) await servers[id].close();
  });

  const fieldsFor = (provider: ProviderId, api_key: string) => ({
    api_key,
    ...(provider === 'azure' && {
      endpoint: servers.azure.url,
      api_version: '2024-10-21',
      deployment_name: 'd',
    }),
    ...(provider === 'vllm' && { endpoint: servers.vllm.url }),
  });
  const requestCount = () => providerIds.reduce((sum, id) => sum + servers[id].requests.length, 0);

  /** One request of a sysadmin, and the line that the audit must then have. */
  async function sysadmin(
    method: 'put' | 'post' | 'patch' | 'delete',
    path: string,
    body: object | undefined,
    expected: { status?: number; line: string; key?: string },
  ) {
    const asking = tenkey
      .http()
      [method](`/api/v1/sysadmin${path}`)
      .set('X-API-Key', expected.key ?? superKey);
    const answer = await (body ? asking.send(body) : asking);
    expect([method, path, answer.status]).toEqual([method, path, expected.status ?? 200]);
    audit.push(expected.line);
    return answer.body;
  }

  const credential = (tenant: string, provider: ProviderId, more = '') =>
    `/tenants/${ids[tenant]}/credentials/${provider}${more}`;
  const set = async (tenant: string, provider: ProviderId, number: number, more: object = {}) => {
    const before = await maskOf(tenant, provider);
    const key = keyFor(tenant, provider, number);
    await sysadmin(
      'put',
      credential(tenant, provider),
      { ...fieldsFor(provider, key), ...more },
      {
        line: `done credential.set ${tenant} ${provider} ${before} -> ...${key.slice(-4)}`,
      },
    );
  };
  const maskOf = async (tenant: string, provider: ProviderId): Promise<string> => {
    const { body } = await tenkey.sysadmin('get', `/tenants/${ids[tenant]}/credentials`);
    return body.credentials.find((one: any) => one.provider === provider)?.masked_key ?? 'none';
  };

  /** One call, the response that the client must get, and the key that a provider must see. Without `key` none is called. */
  async function call(
    tenant: string,
    provider: ProviderId,
    expected: {
      status?: number;
      code?: string;
      key?: string;
      by?: { id: string; key: string };
      stream?: boolean;
    },
  ): Promise<void> {
    const before = requestCount();
    const { status = 200, code, key, by, stream = false } = expected;
    const body = {
      model: modelOf[provider],
      messages: [{ role: 'user', content: 'hello' }],
      stream,
      ...(stream && { stream_options: { include_usage: true } }),
    };
    const asking = by
      ? tenkey.http().post('/v1/chat/completions').set('authorization', `Bearer ${by.key}`).send(body)
      : tenkey.chat(ids[tenant]!, body);
    const answer = await asking;
    expect([tenant, provider, answer.status]).toEqual([tenant, provider, status]);
    if (code !== undefined) expect(answer.body.error.code).toBe(code);
    expect(requestCount() - before).toBe(key === undefined ? 0 : 1);
    if (key === undefined) return;
    const last = servers[provider].requests.at(-1)!;
    expect(last.key).toBe(key);
    seen.push(`${ownerOf(last.key)} ${last.headers.host}`);
    const outcome = status === 200 ? 'completed' : 'failed';
    const tokens = status === 200 ? '3+2' : 'null+null';
    usage.push(`${by?.id ?? 'platform'} ${provider} ${outcome} ${status} ${code ?? null} ${tokens}`);
    if (status === 200) receipts.push(answer.headers['x-tenkey-receipt'] as string);
  }

  it('starts with tenants, credentials and keys', async () => {
    for (const name of ['sundsvall', 'harnosand', 'timra']) {
      const { id } = await sysadmin(
        'post',
        '/tenants',
        { name },
        {
          status: 201,
          line: `done tenant.create ${name} - -`,
        },
      );
      ids[name] = id;
      names[id] = name;
    }
    for (const provider of providerIds) await set('sundsvall', provider, 1);
    await set('harnosand', 'openai', 1);
    await set('harnosand', 'azure', 1, { expires_at: new Date(Date.now() + 5 * 86_400_000).toISOString() });
    await set('timra', 'anthropic', 1);
    for (const provider of providerIds) {
      await call('sundsvall', provider, { key: keyFor('sundsvall', provider, 1) });
      await call('sundsvall', provider, { key: keyFor('sundsvall', provider, 1), stream: true });
    }
    await call('timra', 'openai', { status: 424, code: 'credential_not_configured' });
    await call('timra', 'anthropic', { key: keyFor('timra', 'anthropic', 1) });
  });

  it('continues with keys that are issued, used, expire and are revoked', async () => {
    const issue = async (tenant: string, fields: object) => {
      const issued = await issueTenantKey(tenkey, ids[tenant]!, fields);
      audit.push(`done key.create ${tenant} - -`);
      return issued;
    };
    const usual = await issue('harnosand', { name: 'assistant' });
    const narrow = await issue('harnosand', { name: 'pilot', allowed_models: ['azure-gpt-4o'] });
    const ending = await issue('harnosand', {
      name: 'short',
      expires_at: new Date(Date.now() + 1500).toISOString(),
    });
    await call('harnosand', 'openai', { by: usual, key: keyFor('harnosand', 'openai', 1), stream: true });
    await call('harnosand', 'azure', { by: narrow, key: keyFor('harnosand', 'azure', 1) });
    await call('harnosand', 'openai', { by: narrow, status: 403, code: 'forbidden' });
    await call('harnosand', 'openai', { by: ending, key: keyFor('harnosand', 'openai', 1) });
    await wait(1600);
    await call('harnosand', 'openai', { by: ending, status: 401, code: 'unauthenticated' });
    await sysadmin('delete', `/tenants/${ids.harnosand}/keys/${usual.id}`, undefined, {
      line: 'done key.delete harnosand - -',
    });
    await call('harnosand', 'openai', { by: usual, status: 401, code: 'unauthenticated' });

    const helper = await issueSysadminKey(tenkey, { scopes: ['credentials:read'], tenant_ids: [ids.timra] });
    audit.push('done sysadmin-key.create - - -');
    await sysadmin('put', credential('timra', 'vllm'), fieldsFor('vllm', keyFor('timra', 'vllm', 1)), {
      key: helper.key,
      status: 403,
      line: 'refused PUT /api/v1/sysadmin/tenants/:tenant_id/credentials/:provider timra vllm -',
    });
    await call('timra', 'vllm', { status: 424, code: 'credential_not_configured' });
  });

  it('has a key that a provider refuses and that is replaced in steps', async () => {
    const [old, next] = [keyFor('sundsvall', 'openai', 1), keyFor('sundsvall', 'openai', 2)];
    servers.openai.rejectKey(old);
    await call('sundsvall', 'openai', { key: old, status: 424, code: 'credential_rejected' });
    await sysadmin('put', credential('sundsvall', 'openai', '?stage=true'), fieldsFor('openai', next), {
      line: `done credential.stage sundsvall openai none -> ...${next.slice(-4)}`,
    });
    await call('sundsvall', 'openai', { key: old, status: 424, code: 'credential_rejected' });
    const probed = servers.openai.requests.length;
    await sysadmin('post', credential('sundsvall', 'openai', '/verify?slot=staged'), undefined, {
      line: `done credential.verify sundsvall openai ...${next.slice(-4)}`,
    });
    expect(servers.openai.requests.slice(probed).map(({ method, key }) => [method, key])).toEqual([
      ['GET', next],
    ]);
    await sysadmin('post', credential('sundsvall', 'openai', '/promote'), undefined, {
      line: `done credential.promote sundsvall openai ...${old.slice(-4)} -> ...${next.slice(-4)}`,
    });
    await call('sundsvall', 'openai', { key: next });
    await sysadmin('post', credential('sundsvall', 'openai', '/rollback'), undefined, {
      line: `done credential.rollback sundsvall openai ...${next.slice(-4)} -> ...${old.slice(-4)}`,
    });
    await call('sundsvall', 'openai', { key: old, status: 424, code: 'credential_rejected' });
    await sysadmin('post', credential('sundsvall', 'openai', '/promote'), undefined, {
      line: `done credential.promote sundsvall openai ...${old.slice(-4)} -> ...${next.slice(-4)}`,
    });
    await call('sundsvall', 'openai', { key: next, stream: true });

    const refused = keyFor('timra', 'anthropic', 2);
    servers.anthropic.rejectKey(refused);
    await sysadmin('put', credential('timra', 'anthropic', '?verify=true'), fieldsFor('anthropic', refused), {
      status: 422,
      line: 'refused PUT /api/v1/sysadmin/tenants/:tenant_id/credentials/:provider timra anthropic -',
    });
    await call('timra', 'anthropic', { key: keyFor('timra', 'anthropic', 1) });
  });

  it('ends with keys that expire at their providers, deleted credentials and a suspended tenant', async () => {
    await set('sundsvall', 'azure', 2, { expires_at: new Date(Date.now() - 86_400_000).toISOString() });
    servers.azure.rejectKey(keyFor('sundsvall', 'azure', 2));
    const ended = { key: keyFor('sundsvall', 'azure', 2), status: 424, code: 'credential_rejected' };
    await call('sundsvall', 'azure', ended);
    servers.vllm.next({ status: 500 });
    await call('sundsvall', 'vllm', {
      key: keyFor('sundsvall', 'vllm', 1),
      status: 502,
      code: 'upstream_unavailable',
    });
    await sysadmin('delete', credential('sundsvall', 'anthropic'), undefined, {
      line: `done credential.delete sundsvall anthropic ...${keyFor('sundsvall', 'anthropic', 1).slice(-4)} -> none`,
    });
    await call('sundsvall', 'anthropic', { status: 424, code: 'credential_not_configured' });
    await sysadmin(
      'patch',
      `/tenants/${ids.timra}`,
      { state: 'suspended' },
      {
        line: 'done tenant.update timra - -',
      },
    );
    await call('timra', 'anthropic', { status: 403, code: 'tenant_suspended' });
    // The health of credentials is written once a second.
    await wait(1500);
  });

  it('has a readiness report that predicts the result of a call for every tenant and provider', async () => {
    const { body } = await tenkey.sysadmin('get', '/readiness');
    const said: string[] = [];
    const found: string[] = [];
    for (const [tenant, id] of Object.entries(ids)) {
      const row = body.items.find((item: any) => item.tenant_id === id);
      for (const provider of providerIds) {
        const cell = row.providers.find((one: any) => one.provider === provider);
        const suspended = row.state === 'suspended' ? 'tenant_suspended' : undefined;
        said.push(`${tenant} ${provider} ${suspended ?? cell.problem?.code ?? 'ready'}`);
        const before = requestCount();
        const answer = await tenkey.chat(id, { model: modelOf[provider] });
        found.push(`${tenant} ${provider} ${answer.body.error?.code ?? 'ready'}`);
        if (requestCount() === before) continue;
        const last = servers[provider].requests.at(-1)!;
        seen.push(`${ownerOf(last.key)} ${last.headers.host}`);
        const code = answer.body.error?.code ?? null;
        const [outcome, tokens] = code === null ? ['completed', '3+2'] : ['failed', 'null+null'];
        usage.push(`platform ${provider} ${outcome} ${answer.status} ${code} ${tokens}`);
        if (code === null) receipts.push(answer.headers['x-tenkey-receipt'] as string);
      }
    }
    expect(said).toEqual(found);
    expect(new Set(said.map((line) => line.split(' ')[2]))).toEqual(
      new Set(['ready', 'credential_not_configured', 'credential_rejected', 'tenant_suspended']),
    );
    const warnings = body.warnings.map((one: any) => `${one.name} ${one.provider} ${one.within_days}`);
    expect(warnings.sort()).toEqual(['harnosand azure 7', 'sundsvall azure 0']);
  });

  it('has a usage report that says line by line what the providers saw, and whose key it was', async () => {
    const records = await usageRecords(tenkey, usage.length);
    expect(records.map((one) => `${names[one.tenant_id]} ${one.provider} ${one.mask} ${one.host}`)).toEqual(
      seen,
    );
    expect(
      records.map(
        (one) =>
          `${one.key_id ?? 'platform'} ${one.provider} ${one.outcome} ${one.status} ${one.code} ${one.input_tokens}+${one.output_tokens}`,
      ),
    ).toEqual(usage);
    // The providers received no other calls; a probe is not a call.
    const calls = providerIds.flatMap((id) => servers[id].requests.filter(({ method }) => method === 'POST'));
    expect(calls).toHaveLength(records.length);
    for (const [tenant, id] of Object.entries(ids)) {
      const own = records.filter(({ tenant_id }) => tenant_id === id);
      const { body } = await tenkey.sysadmin('get', `/tenants/${id}/usage?group_by=credential`);
      const sums = new Map<string, number>();
      for (const { provider, mask, version } of own) {
        const name = `${provider} ${mask} ${version}`;
        sums.set(name, (sums.get(name) ?? 0) + 1);
      }
      expect([
        tenant,
        new Map(body.items.map((one: any) => [`${one.provider} ${one.mask} ${one.version}`, one.calls])),
      ]).toEqual([tenant, sums]);
    }
    const successes = records.filter(({ outcome }) => outcome === 'completed');
    expect(receipts).toHaveLength(successes.length);
    for (const [index, receipt] of receipts.entries()) {
      const { body } = await tenkey.sysadmin('post', '/receipts/verify').send({ receipt });
      expect(body).toMatchObject({ valid: true, record_agrees: true });
      expect(body.record).toEqual(successes[index]);
    }
  });

  it('has an audit with every change and every refused attempt, in order, with versions that only grow', async () => {
    const { body } = await tenkey.sysadmin('get', '/audit-events?limit=1000');
    const events = [...body.items].reverse();
    const shown = (part: any) => part?.mask ?? 'none';
    const lines = events.map(({ outcome, action, tenant_id, provider, details }: any) => {
      const whose = `${outcome} ${action} ${names[tenant_id] ?? '-'} ${provider ?? '-'}`;
      if (action === 'credential.verify') return `${whose} ${details.mask}`;
      const isChange = action.startsWith('credential.');
      return isChange ? `${whose} ${shown(details.before)} -> ${shown(details.after)}` : `${whose} -`;
    });
    // A refused attempt is recorded independently of its request, so its event may come one place later.
    expect(lines.filter((line: string) => line.startsWith('done'))).toEqual(
      audit.filter((line) => line.startsWith('done')),
    );
    expect(lines.filter((line: string) => line.startsWith('refused'))).toEqual(
      audit.filter((line) => line.startsWith('refused')),
    );
    const setVersions = events
      .filter(({ action }: any) => /^credential\.(set|stage)$/.test(action))
      .map(({ details }: any) => Number(details.after.version));
    expect(setVersions).toEqual([...setVersions].sort((a, b) => a - b));
    expect(new Set(setVersions).size).toBe(setVersions.length);
    // The calls used the versions that the audit says were set.
    const records = await usageRecords(tenkey, usage.length);
    const known = new Map(
      events
        .filter(({ action }: any) => /^credential\.(set|stage)$/.test(action))
        .map(({ tenant_id, provider, details }: any) => [
          details.after.version,
          `${tenant_id} ${provider} ${details.after.mask}`,
        ]),
    );
    expect((await tenkey.nest.get(AuditLogService).verify()).faults).toEqual([]);
    for (const one of records)
      expect(known.get(one.version)).toBe(`${one.tenant_id} ${one.provider} ${one.mask}`);
  });
});
