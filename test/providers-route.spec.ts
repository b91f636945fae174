import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixedProviders } from '#providers';
import { describeWithApp, startTestApp } from './support/app';
import { issueSysadminKey } from './support/keys';
import { OpenApi } from './support/openapi';

const models = `
providers:
  - { id: gdm, kind: openai_compatible, label: GDM, endpoint: https://gdm.example/v1 }
  - { id: klang, kind: openai_compatible }
  - { id: lab-1, kind: vllm, label: The lab }
  - { id: azure_eu, kind: azure, label: Azure in Europe }
  - { id: azure_known, kind: azure, endpoint: https://known.openai.azure.com }
completion_models:
  - { name: large, litellm_model_name: gdm/large }
`;

interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: 'text' | 'map' | 'time';
  readonly required: boolean;
  readonly secret: boolean;
  readonly description: string;
  readonly rule: string;
  readonly example: string | Record<string, string>;
  readonly min_length?: number;
  readonly max_length?: number;
  readonly pattern?: string;
  readonly max_entries?: number;
}
interface Provider {
  readonly id: string;
  readonly label: string;
  readonly kind: string | null;
  readonly default_host: string | null;
  readonly fields: readonly Field[];
  readonly operations: readonly { readonly operation: string; readonly translated: boolean }[];
  readonly verifiable: boolean;
}

/** Values of a field that its description excludes, each with what it breaks. */
function excludedValues(field: Field): [what: string, value: unknown][] {
  const { example, pattern, min_length: least = 1, max_length: most, max_entries: entries } = field;
  const values: [string, unknown][] = [
    ['is a number', 7],
    ['is empty', field.type === 'map' ? [] : ''],
  ];
  if (typeof example === 'string') {
    values.push(['is a map', { a: 'b' }]);
    if (least > 1) values.push(['is too short', 'k'.repeat(least - 1)]);
    if (most !== undefined) values.push(['is too long', `${example}/`.padEnd(most + 1, 'a')]);
    const excluded = ['\u00e5', 'with\nline', '<b>', 'x'.repeat(400)].filter(
      (text) => pattern !== undefined && !new RegExp(pattern).test(text),
    );
    values.push(...excluded.map((text): [string, unknown] => ['does not match the pattern', text]));
  } else {
    values.push(['is a text', 'a=b']);
    if (entries !== undefined) values.push(['has too many entries', mapOf(entries + 1)]);
    if (pattern !== undefined) values.push(['has a value that does not match', { a: '/' }]);
  }
  return values;
}

/** Values of a field at the limits of its description. */
function limitingValues({ example, min_length: least, max_length: most, max_entries: entries }: Field) {
  if (typeof example !== 'string') return entries === undefined ? [] : [mapOf(entries)];
  return [
    ...(least === undefined ? [] : ['k'.repeat(least)]),
    ...(most === undefined ? [] : [`${example}/`.padEnd(most, 'a')]),
  ];
}

function mapOf(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`model-${index}`, 'deployment']));
}

describeWithApp('the list of providers', {}, { models }, (tenkey) => {
  let providers: readonly Provider[];
  let tenant: string;
  beforeAll(async () => {
    const response = await tenkey.sysadmin('get', '/providers');
    expect(response.status).toBe(200);
    providers = response.body.providers;
    tenant = await tenkey.createTenant();
  });
  const put = (provider: Provider, body: object) => tenkey.setCredential(tenant, provider.id, { ...body });
  const bodyOf = ({ fields }: Provider, isPart: (field: Field) => boolean) =>
    Object.fromEntries(fields.filter(isPart).map(({ name, example }) => [name, example]));
  const required = (provider: Provider) => bodyOf(provider, (field) => field.required);
  const complete = (provider: Provider) => bodyOf(provider, () => true);

  it('has every provider that a credential can be set for, the declared ones with their kind', async () => {
    expect(providers.map(({ id, label, kind }) => [id, label, kind])).toEqual([
      ...fixedProviders.map(({ id, label }) => [id, label, null]),
      ['gdm', 'GDM', 'openai_compatible'],
      ['klang', 'klang', 'openai_compatible'],
      ['lab-1', 'The lab', 'vllm'],
      ['azure_eu', 'Azure in Europe', 'azure'],
      ['azure_known', 'azure_known', 'azure'],
    ]);
    const unknown = await tenkey.setCredential(tenant, 'nobody', { api_key: 'a-key-of-nobody' });
    expect(unknown.body.errors[0].message).toBe(
      `provider must be one of ${providers.map(({ id }) => id).join(', ')}`,
    );
    const api = await OpenApi.of(tenkey);
    const response = await tenkey.sysadmin('get', '/providers');
    expect(api.faultsOfAnswer('GET /api/v1/sysadmin/providers', response)).toEqual([]);
  });

  it('says where calls go without an endpoint', () => {
    const host = Object.fromEntries(providers.map(({ id, default_host }) => [id, default_host]));
    expect(host).toMatchObject({
      deepseek: 'api.deepseek.com',
      openai: new URL(tenkey.provider.url).host,
      gdm: 'gdm.example',
      azure_known: 'known.openai.azure.com',
      azure: null,
      klang: null,
      openai_compatible: null,
      vllm: null,
    });
  });

  it('describes the key first, the only secret, and every field for people', () => {
    for (const { id, fields, verifiable } of providers) {
      expect([id, fields[0], verifiable]).toMatchObject([id, { name: 'api_key', required: true }, true]);
      expect([id, fields.filter(({ secret }) => secret).map(({ name }) => name)]).toEqual([id, ['api_key']]);
      expect([id, fields.at(-1)]).toMatchObject([id, { name: 'expires_at', type: 'time', required: false }]);
      for (const { name, label, description, rule } of fields) {
        expect([id, name, label]).toEqual([id, name, expect.stringMatching(/^[A-Z][A-Za-z ]+$/)]);
        expect([id, name, description]).toEqual([id, name, expect.stringMatching(/^\S.+\.$/s)]);
        expect([id, name, rule]).toEqual([id, name, expect.stringMatching(/^must .+[^.]$/)]);
      }
    }
    const fieldsOf = (id: string) => providers.find((each) => each.id === id)!.fields;
    expect(fieldsOf('azure').map(({ name, type, required: isRequired }) => [name, type, isRequired])).toEqual(
      [
        ['api_key', 'text', true],
        ['endpoint', 'text', true],
        ['api_version', 'text', true],
        ['deployment_name', 'text', true],
        ['deployments', 'map', false],
        ['expires_at', 'time', false],
      ],
    );
    expect(fieldsOf('azure_known').find(({ name }) => name === 'endpoint')).toMatchObject({
      required: false,
      description: 'Base URL that replaces the one in the model catalogue.',
    });
  });

  it('has examples that a PUT accepts, together and the required ones alone, and stores as they are', async () => {
    for (const provider of providers) {
      const whole = await put(provider, complete(provider));
      expect([provider.id, whole.status, whole.body.ignored_fields]).toEqual([provider.id, 200, undefined]);
      const { body } = await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`);
      const stored = body.credentials.find((each: { provider: string }) => each.provider === provider.id);
      const { api_key: _, expires_at: __, ...settings } = complete(provider);
      expect([provider.id, stored.config]).toEqual([provider.id, settings]);
      expect(stored.expires_at).toMatch(/^2030-06-30T/);
      expect([provider.id, (await put(provider, required(provider))).status]).toEqual([provider.id, 200]);
    }
  }, 60_000);

  it('requires what a PUT requires', async () => {
    for (const provider of providers) {
      for (const { name } of provider.fields.filter((field) => field.required)) {
        const { [name]: _, ...rest } = complete(provider);
        const answer = await put(provider, rest);
        const paths = answer.body.errors?.map(({ path }: { path: string }) => path);
        expect([provider.id, name, answer.status, paths]).toEqual([provider.id, name, 422, [name]]);
      }
    }
  }, 60_000);

  it('lacks the fields that a PUT refuses', async () => {
    const names = [...new Set(providers.flatMap(({ fields }) => fields.map(({ name }) => name)))];
    expect(names.length).toBeGreaterThan(6);
    for (const provider of providers) {
      const own = provider.fields.map(({ name }) => name);
      for (const name of names.filter((each) => !own.includes(each))) {
        const answer = await put(provider, { ...required(provider), [name]: 'https://any.example' });
        expect([provider.id, name, answer.status]).toEqual([provider.id, name, 422]);
        expect(answer.body.errors).toEqual([{ path: name, message: `${provider.id} has no ${name}` }]);
      }
    }
  }, 60_000);

  it('excludes only values that a PUT refuses, and none at its limits', async () => {
    let refused = 0;
    let accepted = 0;
    for (const provider of providers) {
      for (const field of provider.fields) {
        for (const [what, value] of excludedValues(field)) {
          const answer = await put(provider, { ...complete(provider), [field.name]: value });
          expect([provider.id, field.name, what, answer.status]).toEqual([
            provider.id,
            field.name,
            what,
            422,
          ]);
          refused += 1;
        }
        for (const value of limitingValues(field)) {
          const answer = await put(provider, { ...complete(provider), [field.name]: value });
          expect([provider.id, field.name, answer.status]).toEqual([provider.id, field.name, 200]);
          accepted += 1;
        }
      }
    }
    expect(refused).toBeGreaterThan(200);
    expect(accepted).toBeGreaterThan(50);
  }, 120_000);

  it('has the operations of docs/providers.md', () => {
    const page = readFileSync(join(__dirname, '../docs/providers.md'), 'utf8');
    const [head = [], , ...rows] = page
      .slice(page.indexOf('| provider          | chat/completions'))
      .split('\n\n')[0]!
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()));
    const documented = rows.map(([, id, ...cells]) => [
      id,
      cells.flatMap((cell, index) =>
        cell === '' ? [] : [{ operation: head[index + 2], translated: cell === 'translated' }],
      ),
    ]);
    expect(documented).toHaveLength(fixedProviders.length);
    const listed = providers.filter(({ kind }) => kind === null);
    expect(listed.map(({ id, operations }) => [id, operations]).sort()).toEqual(documented.sort());
    const declared = providers.find(({ id }) => id === 'lab-1')!;
    expect(declared.operations).toEqual(listed.find(({ id }) => id === 'vllm')!.operations);
  });

  it('can be read with a key that is limited to a tenant, and has nothing about a tenant', async () => {
    const { key } = await issueSysadminKey(tenkey, { scopes: ['credentials:read'], tenant_ids: [tenant] });
    const response = await tenkey.http().get('/api/v1/sysadmin/providers').set('X-API-Key', key);
    expect([response.status, response.body]).toEqual([200, { providers, rollback_hours: 72 }]);
    expect(response.text).not.toContain(tenant);
  });

  it('is there in single-tenant mode too', async () => {
    const settings = { TENANT_CREDENTIALS_ENABLED: 'false', CREDENTIAL_ROLLBACK_HOURS: '5' };
    const single = await startTestApp(settings, { models });
    try {
      const { status, body } = await single.sysadmin('get', '/providers');
      expect([status, body.providers.length, body.rollback_hours]).toEqual([200, providers.length, 5]);
    } finally {
      await single.close();
    }
  });
});
