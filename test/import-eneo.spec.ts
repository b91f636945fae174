import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModelCatalogue } from '#model-routing';
import { encryptionKeys, eneoModels, type EneoImports, startEneoImports } from './support/eneo-imports';
import {
  eneoFixture,
  eneoKeys,
  eneoPlans,
  type EneoRow,
  eneoRows,
  madeOf,
  pythonTokens,
} from './support/eneo-rows';

const { current, oneCharacter, longest, notAscii, spaces, old } = eneoKeys;

/** Ids of tenants in the fixtures. */
const ofApi = (digit: string) => `00000000-0000-4000-8000-00000000000${digit}`;
const ofProviders = (digit: string) => `10000000-0000-4000-8000-00000000000${digit}`;

describe('npx tenkey import eneo', () => {
  const since = Date.now();
  let eneo: EneoImports;
  beforeAll(async () => {
    eneo = await startEneoImports();
    const { tenkey } = eneo;
    await tenkey.createTenant('taken');
    await tenkey.sysadmin('post', '/tenants').send({ id: ofApi('d'), name: 'are-in-tenkey' });
    await tenkey.setCredential(ofApi('d'), 'openai', { api_key: 'sk-key-in-tenkey-4321' });
  });
  afterAll(() => eneo.close());
  afterEach(async () => {
    const text = [...eneo.outputs, ...eneo.tenkey.logLines, ...(await eneo.events())].join('\n');
    const plaintexts = [current, notAscii, spaces, old].map(({ plaintext }) => plaintext.trim());
    // Every key of the fixtures contains one of these.
    const parts = [
      'plain-',
      'sk-key',
      'enc:fernet',
      'gAAAA',
      'aaaaaaaa',
      old.key,
      current.key,
      ...plaintexts,
    ];
    expect(parts.flatMap((part, index) => (text.includes(part) ? [index] : []))).toEqual([]);
  });

  const expectRows = async (idPrefix: string, expected: readonly EneoRow[]) => {
    const { tenkey } = eneo;
    const stored = await eneo.storedRows(idPrefix);
    const pairOf = ({ tenant, provider }: { tenant: string; provider: string }) => `${tenant} ${provider}`;
    expect(stored.map(pairOf)).toEqual(expected.map(pairOf));
    for (const [index, { tenant, provider, mask, configuredAt, config, key }] of expected.entries()) {
      const { body } = await tenkey.sysadmin('get', `/tenants/${stored[index]!.id}/credentials`);
      const credentials = body.credentials as ({ provider: string; configured_at: string } & object)[];
      const listed = credentials.find((each) => each.provider === provider)!;
      const at = Date.parse(listed.configured_at) >= since ? 'now' : listed.configured_at;
      expect({ tenant, ...listed, configured_at: at }).toMatchObject({
        tenant,
        status: 'ready',
        masked_key: mask,
        config: JSON.parse(JSON.stringify(config).replace('SERVER', tenkey.provider.url)) as unknown,
        configured_at: configuredAt,
      });
      const expectedKey = key.startsWith('(') ? madeOf(key.slice(1, -1)).plaintext.trim() : key;
      // Not as a value that a failure would print.
      expect([tenant, provider, stored[index]!.key === expectedKey]).toEqual([tenant, provider, true]);
    }
  };

  it('has fixtures whose sealed keys were made by Python', () => {
    const files = ['eneo-api-credentials.sql', 'eneo-model-providers.sql'];
    const tokens = files.flatMap((name) => eneoFixture(name).match(/(?<=enc:fernet:v1:)[^"]+/g) ?? []);
    const known = new Set([...pythonTokens.valid, ...pythonTokens.invalid].map(({ token }) => token));
    expect([tokens.length, tokens.filter((token) => !known.has(token))]).toEqual([15, []]);
  });

  it('prints the plan and changes nothing', async () => {
    const before = await eneo.written();
    const { code, stdout } = await eneo.importFrom(eneo.api);
    expect(code).toBe(1);
    for (const line of eneoPlans.apiCredentials) expect(stdout).toMatch(line);
    expect(stdout).toContain('15 tenants: 12 to create, 2 skipped.\n');
    expect(stdout).toContain('Credentials: 13 to set, 1 kept, 4 empty, 19 skipped.\n');
    expect(stdout).toContain('Nothing was changed; --yes carries out the plan.');
    expect(stdout).toContain('providers:\n  - id: infinity\n    kind: openai_compatible\n');
    expect(await eneo.written()).toEqual(before);
  });

  it('takes over every row of the old schema that can be read', async () => {
    const { code, stdout } = await eneo.importFrom(eneo.api, '--yes');
    expect([code, stdout]).toEqual([1, expect.stringContaining('13 set, 1 kept, 4 empty, 19 skipped.\n')]);
    await expectRows('0', eneoRows.apiCredentials);
    const { body } = await eneo.tenkey.sysadmin('get', '/tenants?limit=1000');
    const tenants = (body.items as Record<string, string>[]).map((each) =>
      [each.name, each.display_name, each.state, each.created_at].join(),
    );
    expect(tenants).toHaveLength(14);
    expect(tenants).toEqual(
      expect.arrayContaining([
        'sundsvall,Sundsvalls kommun,active,2024-03-01T08:00:00.000Z',
        'ornskoldsvik,,suspended,2024-03-06T08:00:00.000Z',
        'stromsund,,suspended,2024-03-07T08:00:00.000Z',
        'ragunda,,active,2024-03-08T08:00:00.000Z',
      ]),
    );
  });

  it('takes over every row of the new schema, and writes the providers that the catalogue lacks', async () => {
    const providersFile = join(eneo.folder, 'providers.yml');
    const planned = await eneo.importFrom(eneo.providers, '--providers-file', providersFile);
    expect([planned.stdout, existsSync(providersFile)]).toEqual([
      expect.stringContaining('id: azure_europa'),
      false,
    ]);
    const { code, stdout } = await eneo.importFrom(
      eneo.providers,
      '--yes',
      '--providers-file',
      providersFile,
    );
    expect([code, stdout]).toEqual([1, expect.stringContaining('16 set, 1 empty, 5 left out, 5 skipped.\n')]);
    for (const line of eneoPlans.modelProviders) expect(stdout).toMatch(line);
    const yaml = readFileSync(providersFile, 'utf8');
    const catalogue = ModelCatalogue.parse(yaml + eneoModels, 'ai_models.yml');
    expect(catalogue.providers.declared.map(({ id, kind, label }) => `${id} ${kind} ${label}`)).toEqual([
      'azure_europa azure Azure Europa',
      'azure_sverige azure Azure Sverige',
      'gpu_1 vllm GPU 1',
      'gpu_1_2 vllm GPU-1',
      'modellserver_sele openai_compatible Modellserver Åsele',
      'gdm openai_compatible GDM',
    ]);
    const again = await eneo.importFrom(eneo.providers, '--yes', '--providers-file', providersFile);
    expect([again.stdout, again.stderr]).toEqual([
      expect.stringContaining('azure_europa, azure_sverige'),
      '',
    ]);
    writeFileSync(providersFile, 'other');
    const other = await eneo.importFrom(eneo.providers, '--yes', '--providers-file', providersFile);
    expect([other.code, other.stdout, other.stderr]).toEqual([
      1,
      expect.stringContaining('id: azure_europa'),
      expect.stringContaining('exists and is not overwritten'),
    ]);
    expect(readFileSync(providersFile, 'utf8')).toBe('other');
    writeFileSync(providersFile, yaml);
    expect(readFileSync(providersFile, 'utf8')).toBe(yaml);
    // With the declarations in the catalogue the ids stay the same, and nothing is missing.
    const declared = { AI_MODELS_FILE: eneo.file('declared.yml', yaml + eneoModels) };
    const next = await eneo.run(declared, 'import', 'eneo', '--from', eneo.providers.url);
    expect(next.stdout).toContain('Credentials: 0 to set, 16 unchanged,');
    expect(next.stdout).not.toContain('does not declare');
    await expectRows('1', eneoRows.modelProviders);
  });

  it('keeps ciphertext byte for byte, under the key that opens it', async () => {
    const [currentId, oneCharacterId, longestId] = encryptionKeys.keyIds();
    const stored = [...(await eneo.storedRows('0')), ...(await eneo.storedRows('1'))];
    const kept = stored.flatMap(({ tenant, provider, sealed, key_id: keyId }) => {
      const token = pythonTokens.valid.find((each) => sealed === `enc:fernet:v1:${each.token}`);
      return token ? [`${tenant} ${provider} ${keyId} ${token.plaintext.slice(0, 4)}`] : [];
    });
    expect(kept).toEqual([
      `sundsvall azure ${currentId} sk-p`,
      `sundsvall openai ${currentId} sk-p`,
      `timra mistral ${longestId} aaaa`,
      `timra vllm ${oneCharacterId} x`,
      `umea anthropic ${currentId} sk-p`,
      `umea openai ${currentId} sk-p`,
      `pitea azure_sverige ${currentId} sk-p`,
      `skelleftea berget ${currentId} sk-p`,
      `skelleftea gdm ${currentId} sk-p`,
    ]);
    const others = stored.filter(({ key_id: keyId }) => keyId !== currentId);
    expect(others.map(({ tenant, provider }) => `${tenant} ${provider}`)).toEqual([
      'timra mistral',
      'timra vllm',
    ]);
  });

  it('calls with exactly the imported keys', async () => {
    for (const [tenant, model, key, path] of [
      [ofApi('1'), 'gpt-4o', current.plaintext, '/v1/chat/completions'],
      [ofApi('2'), 'gpt-4o', 'sk-plain-harnosand-1111', '/v1/chat/completions'],
      [ofProviders('6'), 'large', current.plaintext, '/gdm/v1/chat/completions'],
      [ofProviders('7'), 'large', 'plain-gdm-robertsfors-1212', '/gdm/v1/chat/completions'],
    ] as const) {
      eneo.tenkey.provider.reset();
      await eneo.tenkey.chat(tenant, { model }).expect(200);
      const [request, ...more] = eneo.tenkey.provider.requests;
      expect([tenant, request?.path, request?.key === key, more.length]).toEqual([tenant, path, true, 0]);
    }
    expect((await eneo.tenkey.chat(ofApi('5'))).body.error.code).toBe('credential_not_configured');
    expect((await eneo.tenkey.chat(ofApi('6'))).body.error.code).toBe('tenant_suspended');
  });

  it('audits each tenant and each credential', async () => {
    const { body } = await eneo.tenkey.sysadmin('get', `/audit-events?tenant_id=${ofApi('2')}`);
    const origin = 'import-eneo';
    expect(body.items.toReversed()).toMatchObject([
      { actor: 'cli', action: 'tenant.create', details: { after: { name: 'harnosand' }, origin } },
      {
        action: 'credential.set',
        provider: 'mistral',
        details: { before: null, after: { mask: '...2222' }, origin },
      },
      { action: 'credential.set', provider: 'openai', details: { after: { mask: '...1111' }, origin } },
    ]);
  });

  it('changes nothing the second time', async () => {
    const before = await eneo.written();
    for (const source of [eneo.api, eneo.providers]) {
      expect((await eneo.importFrom(source, '--yes')).stdout).toContain('Credentials: 0 set,');
    }
    expect(await eneo.written()).toEqual(before);
  });

  it('replaces only what differs, and only with --replace', async () => {
    const edit = `UPDATE tenant_credentials SET settings = '{"endpoint":"https://elsewhere.example"}'
                  WHERE tenant_id = $1 AND provider = 'openai'`;
    await eneo.tenkey.edit(edit, [ofApi('2')]);
    const kept = await eneo.importFrom(eneo.api, '--yes');
    expect(kept.stdout).toMatch(
      /^harnosand +openai +skip +\.\.\.1111 +has one that is tampered, which --replace/m,
    );
    const before = await eneo.events();
    const { stdout } = await eneo.importFrom(eneo.api, '--yes', '--replace');
    expect(stdout).toContain('Credentials: 0 set, 2 replaced, 12 unchanged, 4 empty, 19 skipped.\n');
    expect(await eneo.events()).toHaveLength(before.length + 2);
    const [, openai] = await eneo.storedRows(ofApi('d'));
    expect([openai?.provider, openai?.sealed === `enc:fernet:v1:${current.token}`]).toEqual(['openai', true]);
  });

  it('leaves keys that a rotation seals under the current key', async () => {
    expect((await eneo.run({}, 'encryption', 'rotate', '--yes')).stdout).toContain('2 rows sealed again.');
    const [mistral, , vllm] = await eneo.storedRows(ofApi('3'));
    const expected = [encryptionKeys.ownKeyId, encryptionKeys.ownKeyId, true, true];
    const same = [mistral?.key === longest.plaintext, vllm?.key === oneCharacter.plaintext];
    expect([mistral?.key_id, vllm?.key_id, ...same]).toEqual(expected);
  });
});
