import 'reflect-metadata';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { parse } from 'dotenv';
import { Test } from '@nestjs/testing';
import { ConfigService } from '@nestjs/config';
import { generateKey, removeKeyShapes, Secret } from '#crypto';
import { declaredProvider, fixedProviders, ProviderRegistry } from '#providers';
import { parseDatabaseUrl } from './addresses/database-address';
import { type Config, loadConfig } from './config';
import { configFrom, ConfigModule, InjectConfig } from './config.module';
import { ConfigError, generateEnvFile, readEnvironment } from './environment';
import { type Setting } from './settings/setting';
import { takenVariableOf, variablesOf } from './settings/provider-settings';
import { SettingReader } from './settings/setting-reader';
import { settings } from './settings/settings';

const registry = new ProviderRegistry();

const good = {
  INTRIC_SUPER_API_KEY: 'a-super-key-of-enough-length',
  PLATFORM_API_KEY: 'a-platform-key-of-enough-length',
  ENCRYPTION_KEY: generateKey(),
};

function faultsOf(env: Record<string, string | undefined>): string {
  try {
    loadConfig({ ...good, ...env });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

describe('loadConfig', () => {
  it.each([
    [{ INTRIC_SUPER_API_KEY: undefined }, 'INTRIC_SUPER_API_KEY is not set'],
    [{ INTRIC_SUPER_API_KEY: 'short' }, 'INTRIC_SUPER_API_KEY must have at least 16'],
    [{ INTRIC_SUPER_API_KEY: 'sk-1234567890123456' }, 'INTRIC_SUPER_API_KEY is a published example'],
    [{ PLATFORM_API_KEY: good.INTRIC_SUPER_API_KEY }, 'PLATFORM_API_KEY must differ'],
    [{ ENCRYPTION_KEY: '' }, 'npm run generate-encryption-key'],
    [{ ENCRYPTION_KEY: 'not-a-key' }, 'ENCRYPTION_KEY must be 32 bytes'],
    [{ ENCRYPTION_KEY: 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=' }, 'ENCRYPTION_KEY is published'],
    [
      { ENCRYPTION_KEY: `b'${generateKey()}'` },
      "ENCRYPTION_KEY must not be in quotes, and not in Python's form b'...'.",
    ],
    [{ ENCRYPTION_KEY: `"${generateKey()}"` }, 'ENCRYPTION_KEY must not be in quotes'],
    [{ ENCRYPTION_KEY_PREVIOUS: 'x' }, 'ENCRYPTION_KEY_PREVIOUS must be'],
    [{ TENANT_CREDENTIALS_ENABLED: 'maybe' }, 'TENANT_CREDENTIALS_ENABLED must be true or false'],
    [{ PORT: '70000' }, 'PORT must be a whole number'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL must begin with'],
    [
      { DATABASE_URL: 'postgres://u:q7zkq7zk@host:99999/name' },
      'DATABASE_URL has an invalid port. A port is',
    ],
    [{ DATABASE_URL: 'postgres://host/name?port=q7zkq7zk' }, 'DATABASE_URL has an invalid port. A port is'],
    ...['one,two', 'one:5432,two:5432', 'one,two:5432'].map((hosts): [Record<string, string>, string] => [
      { DATABASE_URL: `postgres://u:q7zkq7zk@${hosts}/name` },
      'DATABASE_URL names several hosts. Name one:',
    ]),
    [{ DATABASE_URL: 'postgres:///name?host=one,two' }, 'DATABASE_URL names several hosts'],
    [{ DATABASE_HOST: 'one,two' }, 'DATABASE_HOST names several hosts'],
    ...['@', '/', '#', '?', '%', '/1@', '?a=1@', '%zz', '#/'].flatMap((raw) =>
      ['q7zk', '5'].map((start): [Record<string, string>, string] => [
        { DATABASE_URL: `postgres://u:${start}${raw}q7zk@host:5432/name` },
        'DATABASE_URL is not a valid URL. Percent-encode special characters of the password (@ is %40).',
      ]),
    ),
    [{ DATABASE_URL: 'postgres://q7zk:q7zk' }, 'DATABASE_URL is not a valid URL. Percent-encode'],
    [
      { DATABASE_URL: 'postgres://host/n?sslmode=banana' },
      'DATABASE_URL has an unknown sslmode. Set it to one of',
    ],
    [
      { DATABASE_DIRECT_URL: 'postgres://host/n?sslmode=allow' },
      'DATABASE_DIRECT_URL has an unknown sslmode',
    ],
    [{ DATABASE_URL: 'postgres://host/n?sslmode=' }, 'DATABASE_URL has an unknown sslmode'],
    [
      { DATABASE_URL: 'postgres://host/n?sslmdoe=require' },
      'DATABASE_URL has an unknown parameter that begins with ssl',
    ],
    [
      { DATABASE_URL: 'postgres://host/n?sslmode=verify-ca' },
      'DATABASE_URL has sslmode=verify-ca, which needs sslrootcert',
    ],
    [{ DATABASE_URL: 'postgres://host/n?sslcert=/a' }, 'DATABASE_URL has only one of sslcert and sslkey'],
    [
      { DATABASE_URL: 'postgres://host/n', DATABASE_HOST: 'host', DATABASE_PASSWORD: 'q7zk' },
      'DATABASE_HOST and DATABASE_URL are both set. Remove one',
    ],
    [{ DATABASE_PASSWORD: 'q7zk' }, 'DATABASE_PASSWORD is set without DATABASE_HOST'],
    [
      { DATABASE_HOST: 'host', DATABASE_PARAMETERS: 'sslmode=banana' },
      'DATABASE_PARAMETERS has an unknown sslmode',
    ],
    [{ NODE_ENV: 'production' }, 'DATABASE_URL is not set'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be one of'],
    [{ OPENAI_BASE_URL: 'http://user:pass@host' }, 'OPENAI_BASE_URL must be'],
    [{ OPENAI_BASE_URL: 'https:host/v1' }, 'OPENAI_BASE_URL must be'],
    [{ OPENAI_BASE_URL: 'https://ho\tst/v1' }, 'OPENAI_BASE_URL must be'],
    [{ OPENAI_BASE_URL: 'https:\\\\host\\v1' }, 'OPENAI_BASE_URL must be'],
    [{ EGRESS_ALLOW: '127.0.0.1:80,169.254.169.254:80' }, 'EGRESS_ALLOW entry 2 is a metadata address'],
    [{ UPSTREAM_TIMEOUTS: 'q7zk-idle=1' }, 'UPSTREAM_TIMEOUTS must be entries like'],
    [{ TRUST_PROXY: 'true' }, 'TRUST_PROXY must be addresses'],
    [{ TRUST_PROXY: '10.0.0.1,proxy.example' }, 'TRUST_PROXY must be addresses'],
    [{ TRUST_PROXY: '0.0.0.0/0' }, 'TRUST_PROXY must be addresses'],
    [{ TRUST_PROXY: '10.0.0.0/33' }, 'TRUST_PROXY must be addresses'],
    [{ TRUST_PROXY: '10.0.0.0/8/8' }, 'TRUST_PROXY must be addresses'],
    [{ TRUST_PROXY: '::ffff:10.0.0.0/104' }, 'TRUST_PROXY must be addresses'],
  ])('refuses %j', (env, expected) => {
    const message = faultsOf(env);
    expect(message).toContain(expected);
    for (const value of Object.values(env)) {
      if (value && value.length > 8 && !value.startsWith('mysql')) expect(message).not.toContain(value);
    }
  });

  it('has no example in a fault that the log would take for a password', () => {
    const message = faultsOf({ DATABASE_URL: 'odd:pw@host/db', EGRESS_PROXY: 'socks://proxy.example' });
    expect(message.match(/user:password@/g)).toHaveLength(2);
    expect(removeKeyShapes(message)).toBe(message);
  });

  it('reads an encryption key in standard base64 as the same key', () => {
    const key = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - 5 * index)).toString('base64');
    expect(key).toMatch(/[+/]/);
    const { current } = loadConfig({ ...good, ENCRYPTION_KEY: `${key}\n` }).encryptionKeys;
    expect(current?.expose()).toBe(key.replaceAll('+', '-').replaceAll('/', '_'));
  });

  it('reports every fault at once', () => {
    const message = faultsOf({ PORT: 'x', LOG_LEVEL: 'x', INTRIC_SUPER_API_KEY: '' });
    expect(message.match(/^ {2}- /gm)).toHaveLength(3);
  });

  it('accepts EMBEDDED_DATABASE=true in production, and several super keys', () => {
    const config = loadConfig({
      ...good,
      NODE_ENV: 'production',
      EMBEDDED_DATABASE: 'true',
      INTRIC_SUPER_API_KEY: 'first-key-of-enough-length, second-key-of-enough-length',
    });
    expect(config.superApiKeys).toHaveLength(2);
    expect(config.host).toBe('0.0.0.0');
  });

  it('never reads a global key in strict mode, and lists those that are set', () => {
    const poisoned = new Set(fixedProviders.map((provider) => provider.globalVariables.apiKey));
    const env = new Proxy<Record<string, string>>(
      { ...good, ...Object.fromEntries([...poisoned].map((name) => [name, 'poison'])) },
      {
        get(target, name: string) {
          if (poisoned.has(name)) throw new Error(`${name} was read`);
          return target[name];
        },
      },
    );
    const config = loadConfig(env);
    for (const provider of fixedProviders) expect(config.globalCredential(provider)).toBeUndefined();
    expect(config.globalVariablesPresent(fixedProviders)).toEqual(expect.arrayContaining([...poisoned]));
  });

  describe('with providers that a catalogue declares', () => {
    const gdm = declaredProvider({
      id: 'gdm',
      kind: 'openai_compatible',
      label: 'GDM',
      endpoint: 'https://a.b',
    });
    const single = { ...good, TENANT_CREDENTIALS_ENABLED: 'false' };

    it('reads their variables when they are used, and the base URL wins over the endpoint in the catalogue', () => {
      expect(loadConfig(good).endpointOf(gdm)).toBe('https://a.b');
      expect(loadConfig({ ...good, GDM_BASE_URL: 'https://c.d' }).endpointOf(gdm)).toBe('https://c.d');
      const config = loadConfig({ ...single, GDM_API_KEY: 'key-of-gdm-w1x2' });
      expect(String(config.globalCredential(gdm)?.apiKey)).toBe('[secret ...w1x2]');
      expect(config.globalVariablesPresent([...fixedProviders, gdm])).toEqual(['GDM_API_KEY']);
      expect(config.faultsOfDeclared([gdm])).toEqual([]);
    });

    it('reports the faults of their variables without the values', () => {
      const env = { GDM_BASE_URL: 'sentinel-address', GDM_API_KEY: '...senti' };
      const faults = loadConfig({ ...single, ...env }).faultsOfDeclared([gdm]);
      expect(faults).toEqual([
        expect.stringMatching(/^GDM_BASE_URL must be an http or https URL/),
        expect.stringMatching(/^GDM_API_KEY looks like the mask of a key/),
      ]);
      expect(faults.join()).not.toMatch(/senti/);
      // In strict mode the key is not read.
      expect(loadConfig({ ...good, ...env }).faultsOfDeclared([gdm])).toHaveLength(1);
      expect(loadConfig({ ...good, ...env }).globalCredential(gdm)).toBeUndefined();
    });

    it('notices a timeout for a provider that does not exist', () => {
      const config = loadConfig({ ...good, UPSTREAM_TIMEOUTS: 'gdm.idle=7' });
      expect(config.timeoutsOf(gdm).idleMs).toBe(7000);
      expect(config.faultsOfDeclared([gdm])).toEqual([]);
      expect(config.faultsOfDeclared([])).toEqual([
        'UPSTREAM_TIMEOUTS names a provider that Tenkey does not know and the catalogue does not declare.',
      ]);
    });

    it.each([
      ['platform', 'PLATFORM_API_KEY'],
      ['intric-super', 'INTRIC_SUPER_API_KEY'],
      ['eneo_super', 'ENEO_SUPER_API_KEY'],
      ['public', undefined],
      ['gdm', undefined],
    ])('notices that the id %s would take the variable %s', (id, expected) => {
      const provider = declaredProvider({ id, kind: 'openai_compatible', label: id });
      expect(takenVariableOf(provider, new Set())).toBe(expected);
      const other = declaredProvider({ id: id.replace('-', '_'), kind: 'vllm', label: id });
      expect(takenVariableOf(provider, new Set(variablesOf(other)))).toBe(
        expected ?? `${id.toUpperCase()}_API_KEY`,
      );
    });
  });

  it('cuts addresses of requests to their base URLs, and names the variables', () => {
    const config = loadConfig({
      ...good,
      TENANT_CREDENTIALS_ENABLED: 'false',
      VLLM_MODEL_URL: 'http://vllm:8000/v1/chat/completions',
      GDM_BASE_URL: 'https://gdm.example/v1/models',
      OPENAI_BASE_URL: 'https://api.openai.com/v1',
      AZURE_API_KEY: 'azure-global-key-w1x2',
      AZURE_ENDPOINT:
        'https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21',
      AZURE_DEPLOYMENTS: 'gpt-5=d',
      AZURE_DEPLOYMENT_NAME: 'usual',
    });
    const registry = new ProviderRegistry();
    expect(config.endpointOf(registry.find('vllm')!)).toBe('http://vllm:8000/v1');
    expect(config.globalCredential(registry.find('azure')!)?.settings).toEqual({
      endpoint: 'https://r.openai.azure.com',
      api_version: '2024-10-21',
      deployment_name: 'usual',
      deployments: { 'gpt-5': 'd' },
    });
    const gdm = declaredProvider({ id: 'gdm', kind: 'openai_compatible', label: 'GDM' });
    const cut = config.cutAddressesOf([...registry.all, gdm]);
    expect(cut.sort()).toEqual(['AZURE_ENDPOINT', 'GDM_BASE_URL', 'VLLM_MODEL_URL']);
  });

  it('reports one fault for a key that is set and refused, and not that it is missing', () => {
    const message = faultsOf({ ENCRYPTION_KEY: 'not-a-key', INTRIC_SUPER_API_KEY: 'short' });
    expect(message.match(/^ {2}- /gm)).toHaveLength(2);
    expect(message).not.toContain('is not set');
  });

  it('lists the secrets of the process', () => {
    const databaseUrl = 'postgresql://tenkey:a-password@host/tenkey';
    const previous = generateKey();
    const config = loadConfig({ ...good, DATABASE_URL: databaseUrl, ENCRYPTION_KEY_PREVIOUS: previous });
    const expected = [...Object.values(good), databaseUrl, previous];
    expect(config.secrets.map((secret) => secret.expose()).sort()).toEqual(expected.sort());
  });

  it('has the secret settings of the table as Secret, and no others', () => {
    const DATABASE_URL = 'postgresql://host/tenkey';
    const env = {
      ...good,
      DATABASE_URL,
      DATABASE_PASSWORD: 'a-password',
      DATABASE_DIRECT_URL: DATABASE_URL,
      EGRESS_PROXY: 'http://proxy.example:3128',
      ENCRYPTION_KEY_PREVIOUS: generateKey(),
    };
    const values = new SettingReader(env).values() as Readonly<Record<string, unknown>>;
    for (const [field, { kind, isTestOnly }] of Object.entries<Setting>(settings)) {
      if (isTestOnly) expect(values).not.toHaveProperty(field);
      else
        expect([field, [values[field]].flat()[0] instanceof Secret]).toEqual([field, kind.isSecret === true]);
    }
  });

  it('says which setting has the address of the database', () => {
    expect(loadConfig({ ...good, DATABASE_URL: 'postgres://host/n' }).databaseSetting).toBe('DATABASE_URL');
    expect(loadConfig({ ...good, DATABASE_HOST: 'host' }).databaseSetting).toBe('DATABASE_HOST');
  });

  it('makes the address of the database of its parts, in which every character may stand', () => {
    const password = 'a@b:c/d#e?f%41g h"ä';
    const env = { ...good, DATABASE_HOST: 'db.example', DATABASE_PASSWORD: password };
    const of = (more: Record<string, string>) => loadConfig({ ...env, ...more }).databaseUrl?.expose();
    const expected = { host: 'db.example', port: 5432, user: 'tenkey', database: 'tenkey', password };
    expect(parseDatabaseUrl(of({})!)).toMatchObject({ ...expected, sslMode: 'prefer' });
    const all = {
      DATABASE_HOST: '::1',
      DATABASE_PORT: '6432',
      DATABASE_NAME: 'a/b',
      DATABASE_USER: 'me@there',
      DATABASE_PARAMETERS: 'sslmode=require',
    };
    expect(parseDatabaseUrl(of(all)!)).toMatchObject({
      host: '::1',
      port: 6432,
      user: 'me@there',
      database: 'a/b',
      password,
      sslMode: 'require',
    });
    expect(parseDatabaseUrl(of({ DATABASE_HOST: '/run/postgresql' })!)).toMatchObject({
      host: '/run/postgresql',
    });
  });

  it('reads one global credential in single-tenant mode, its settings with it', () => {
    const config = loadConfig({
      ...good,
      TENANT_CREDENTIALS_ENABLED: 'false',
      ENCRYPTION_KEY: undefined,
      AZURE_API_KEY: 'azure-global-key-w1x2',
      AZURE_ENDPOINT: 'https://one.openai.azure.com',
      AZURE_DEPLOYMENTS: ' gpt-5 = first, org/model=v1=second,',
    });
    const credential = config.globalCredential(registry.find('azure')!);
    expect(String(credential?.apiKey)).toBe('[secret ...w1x2]');
    expect(credential?.settings).toEqual({
      endpoint: 'https://one.openai.azure.com',
      deployments: { 'gpt-5': 'first', 'org/model=v1': 'second' },
    });
    expect(JSON.stringify(config)).not.toContain(good.INTRIC_SUPER_API_KEY);
  });

  it.each<[Record<string, string>, string]>([
    [{ OPENAI_API_KEY: 'sk-pasted-with-a-quote”' }, 'OPENAI_API_KEY must have only printable ASCII'],
    [{ MISTRAL_API_KEY: 'short' }, 'MISTRAL_API_KEY must have at least 8 characters.'],
    [{ VLLM_API_KEY: '...xyz9' }, 'VLLM_API_KEY looks like the mask of a key'],
    [{ AZURE_ENDPOINT: 'my-resource.openai.azure.com' }, 'AZURE_ENDPOINT must be an http or https URL.'],
    [
      {
        AZURE_ENDPOINT: 'https://r.openai.azure.com/openai/deployments/in-url/chat/completions',
        AZURE_DEPLOYMENT_NAME: 'in-variable',
      },
      'AZURE_DEPLOYMENT_NAME differs from what the URL in AZURE_ENDPOINT says.',
    ],
    [{ AZURE_API_VERSION: 'of-today!' }, 'AZURE_API_VERSION must be an API version'],
    [{ AZURE_DEPLOYMENT_NAME: '../gpt' }, 'AZURE_DEPLOYMENT_NAME must be 1 to 64'],
    [{ AZURE_DEPLOYMENTS: 'gpt-5-first' }, 'AZURE_DEPLOYMENTS must be entries like `model=name`'],
    [{ AZURE_DEPLOYMENTS: 'gpt-5=one,gpt-5=two' }, 'AZURE_DEPLOYMENTS must be entries like `model=name`'],
    [{ AZURE_DEPLOYMENTS: '=first-one' }, 'AZURE_DEPLOYMENTS must be entries like `model=name`'],
    [{ AZURE_DEPLOYMENTS: 'gpt-5=../first' }, 'AZURE_DEPLOYMENTS must have deployment names of 1 to 64'],
  ])("checks global credentials as a tenant's are: %j", (env, expected) => {
    const azure = { AZURE_API_KEY: 'azure-global-key-w1x2' };
    const message = faultsOf({ TENANT_CREDENTIALS_ENABLED: 'false', ...azure, ...env });
    expect(message).toContain(`  - ${expected}`);
    expect(message.match(/^ {2}- /gm)).toHaveLength(1);
    for (const value of Object.values(env)) expect(message).not.toContain(value);
    // Strict mode does not check them.
    expect(faultsOf({ ...azure, ...env })).toBe('');
  });
});

describe('ConfigModule', () => {
  class Consumer {
    constructor(@InjectConfig() readonly config: Config) {}
  }
  const moduleOf = (env: Record<string, string>) => {
    const factory = configFrom(env);
    const module = Test.createTestingModule({
      imports: [ConfigModule.register(factory)],
      providers: [Consumer],
    });
    return { factory, compiled: module.compile() };
  };

  it('injects the Config that the factory returned to the start', async () => {
    const { factory, compiled } = moduleOf(good);
    expect((await compiled).get(Consumer).config).toBe(factory());
  });

  it('refuses a faulty environment', async () => {
    await expect(moduleOf({ ...good, PORT: 'x' }).compiled).rejects.toThrow(
      '  - PORT must be a whole number',
    );
  });

  it('leaves process.env alone', async () => {
    const before = { ...process.env };
    process.env.VARIABLE_OF_THE_PROCESS = 'value-of-the-process';
    try {
      const service = (await moduleOf({ ...good, PORT: '4321' }).compiled).get(ConfigService);
      expect(service.get('VARIABLE_OF_THE_PROCESS')).toBeUndefined();
      expect(inspect(service, { depth: null })).not.toContain('value-of-the-process');
    } finally {
      delete process.env.VARIABLE_OF_THE_PROCESS;
    }
    expect(process.env).toEqual(before);
  });
});

describe('.env', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tenkey-env-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is generated once, readable by its owner only, and never overwritten', () => {
    expect(generateEnvFile(folder)).toBe(true);
    const text = readFileSync(join(folder, '.env'), 'utf8');
    expect(statSync(join(folder, '.env')).mode & 0o777).toBe(0o600);
    expect(generateEnvFile(folder)).toBe(false);
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(text);
    expect(() => loadConfig(readEnvironment({}, folder))).not.toThrow();
  });

  it('gives way to variables of the process, and a global key is not kept in memory', () => {
    writeFileSync(
      join(folder, '.env'),
      'PORT=1111\nLOG_LEVEL=warn\nOPENAI_API_KEY=sk-in-the-file\nGDM_API_KEY=sk-in-the-file\n',
    );
    const env = readEnvironment({ PORT: '2222' }, folder);
    expect([env.PORT, env.LOG_LEVEL]).toEqual(['2222', 'warn']);
    expect(inspect(env, { showProxy: true })).not.toContain('sk-in-the-file');
    expect('OPENAI_API_KEY' in env).toBe(true);
    expect([env.OPENAI_API_KEY, env.GDM_API_KEY]).toEqual(['sk-in-the-file', 'sk-in-the-file']);
  });

  it.each([
    'INTRIC_SUPER_API_KEY=abc#def',
    'INTRIC_SUPER_API_KEY: abc#def',
    'INTRIC_SUPER_API_KEY="abc#def',
    'INTRIC_SUPER_API_KEY="ab"c#def',
    'PORT=1#',
    'PORT=#1',
    'PORT=1\nA="x#y"\n A=x y#z',
  ])('is refused if a value would be cut at a #: %j', (text) => {
    writeFileSync(join(folder, '.env'), text);
    expect(() => readEnvironment({}, folder)).toThrow(
      / in \.env has a # that begins a comment\. Put the value in quotes: /,
    );
    expect(() => readEnvironment({}, folder)).not.toThrow(/def/);
  });

  it.each([
    'PORT=   # note',
    'PORT:   # note',
    'PORT=1 # note',
    '# PORT=1#',
    'PORT="1#"',
    'PORT: `1#`',
    "PORT='a#b' # note#",
    'PORT="\\"a\\"#b"',
    'PORT="a#\nb#"',
    'PORT=',
  ])('may have notes and quotes: %j', (text) => {
    writeFileSync(join(folder, '.env'), text);
    expect(() => readEnvironment({}, folder)).not.toThrow();
  });

  describe('secrets in files', () => {
    const fileWith = (text: string) => {
      const path = join(folder, `secret-${Math.random()}`);
      writeFileSync(path, text);
      return path;
    };
    const faults = (env: Record<string, string>) => {
      try {
        loadConfig(readEnvironment({ ...good, ...env }, folder));
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };

    it.each(
      Object.values<Setting>(settings)
        .filter(({ kind, isTestOnly }) => kind.isSecret && !isTestOnly)
        .map(({ name }) => name),
    )('%s may be in the file that %s_FILE names', (name) => {
      const env = readEnvironment({ [`${name}_FILE`]: fileWith('the secret\n') }, folder);
      expect([env[name], name in env]).toEqual(['the secret', true]);
    });

    it('are read for the settings and for the global keys of providers, declared ones too', () => {
      const { ENCRYPTION_KEY: key, ...others } = good;
      const env = {
        ...others,
        ENCRYPTION_KEY_FILE: fileWith(`${key}\r\n`),
        TENANT_CREDENTIALS_ENABLED: 'false',
        OPENAI_API_KEY_FILE: fileWith('sk-from-a-file'),
        OWN_SERVER_API_KEY_FILE: fileWith('sk-of-a-declared-one'),
      };
      const read = readEnvironment(env, folder);
      const config = loadConfig(read);
      expect(config.encryptionKeys.current?.expose()).toBe(key);
      expect(config.globalCredential(registry.find('openai')!)?.apiKey.expose()).toBe('sk-from-a-file');
      expect(read['OWN_SERVER_API_KEY']).toBe('sk-of-a-declared-one');
    });

    it('of global keys are not read in strict mode', () => {
      const config = loadConfig(
        readEnvironment({ ...good, OPENAI_API_KEY_FILE: join(folder, 'not-there') }, folder),
      );
      expect(config.globalVariablesPresent(fixedProviders)).toEqual(['OPENAI_API_KEY']);
    });

    it('that cannot be read are faults which name the variable and not the path', () => {
      const { ENCRYPTION_KEY: key, PLATFORM_API_KEY: _, ...others } = good;
      const env = { ...others, PLATFORM_API_KEY_FILE: folder, ENCRYPTION_KEY_FILE: key, LOG_LEVEL: 'loud' };
      const factory = () => loadConfig(readEnvironment(env, folder));
      expect(factory).toThrow(
        'PLATFORM_API_KEY_FILE must be the path of a file with the value of PLATFORM_API_KEY; that file cannot be read (EISDIR).',
      );
      expect(factory).toThrow(
        'ENCRYPTION_KEY_FILE must be the path of a file with the value of ENCRYPTION_KEY; that file cannot be read (ENOENT).',
      );
      expect(factory).toThrow('LOG_LEVEL must be one of');
      expect(factory).not.toThrow(key);
    });

    it('are refused when the variable is set too, and a blank one counts as not set', () => {
      expect(faults({ ENCRYPTION_KEY_FILE: fileWith(good.ENCRYPTION_KEY) })).toContain(
        'ENCRYPTION_KEY and ENCRYPTION_KEY_FILE are both set. Remove one.',
      );
      expect(faults({ ENCRYPTION_KEY_FILE: ' ' })).toBe('');
      expect(faults({ ENCRYPTION_KEY: '', ENCRYPTION_KEY_FILE: fileWith(good.ENCRYPTION_KEY) })).toBe('');
      const empty = { INTRIC_SUPER_API_KEY: '', INTRIC_SUPER_API_KEY_FILE: fileWith(' \n') };
      expect(faults(empty)).toContain(
        'INTRIC_SUPER_API_KEY is not set, because the file of INTRIC_SUPER_API_KEY_FILE is empty. Generate a key',
      );
      // What is optional may be empty, as a mounted secret is between two replacements of a key.
      expect(faults({ ENCRYPTION_KEY_PREVIOUS_FILE: fileWith('') })).toBe('');
    });

    it('are secrets only: no other setting is read from a file', () => {
      expect(readEnvironment({ PORT_FILE: fileWith('4000') }, folder)['PORT']).toBeUndefined();
    });
  });

  it('may use the names of other installations, but not two names with different values', () => {
    writeFileSync(join(folder, '.env'), 'AZURE_API_BASE=https://a.example\nENEO_SUPER_API_KEY=x\n');
    const env = readEnvironment({ AZURE_MODEL_DEPLOYMENT: 'd' }, folder);
    expect([env.AZURE_ENDPOINT, env.INTRIC_SUPER_API_KEY, env.AZURE_DEPLOYMENT_NAME]).toEqual([
      'https://a.example',
      'x',
      'd',
    ]);
    expect('AZURE_ENDPOINT' in env).toBe(true);
    expect(() => readEnvironment({ INTRIC_SUPER_API_KEY: 'x' }, folder)).not.toThrow();
    expect(() => readEnvironment({ INTRIC_SUPER_API_KEY: 'y' }, folder)).toThrow(
      'ENEO_SUPER_API_KEY is another name of INTRIC_SUPER_API_KEY, and they have different values. Remove one.',
    );
  });

  it('sets no global variable when it is a copy of .env.example', () => {
    copyFileSync(join(__dirname, '../../.env.example'), join(folder, '.env'));
    const exported = parse(readFileSync(join(folder, '.env')));
    for (const env of [{}, exported]) {
      const config = loadConfig(readEnvironment({ ...env, ...good }, folder));
      expect(config.globalVariablesPresent(fixedProviders)).toEqual([]);
    }
    writeFileSync(join(folder, '.env'), 'OPENAI_API_KEY=\nGROQ_API_KEY= \nAZURE_ENDPOINT=x\nXAI_API_KEY=x\n');
    const mixed = readEnvironment({ ...good, XAI_API_KEY: '', GROQ_API_KEY: 'x' }, folder);
    expect(loadConfig(mixed).globalVariablesPresent(fixedProviders)).toEqual([
      'AZURE_ENDPOINT',
      'GROQ_API_KEY',
    ]);
  });
});
