import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FernetService, Secret } from '#crypto';
import { startTestApp, type TestApp } from './app';
import { runCli } from './cli';
import { eneoFixture, eneoKeys } from './eneo-rows';
import { createEmptyDatabase, execute, type TestDatabase } from './postgres';

const { current, oneCharacter, longest, notAscii, spaces, old } = eneoKeys;
const previous = [oneCharacter, longest, notAscii, spaces].map(({ key }) => key);

/** The encryption keys that Tenkey has loaded. */
export const encryptionKeys = new FernetService({
  current: new Secret(current.key),
  previous: previous.map((key) => new Secret(key)),
});

/** The end of the model catalogue, which begins with the list of providers. */
export const eneoModels = `
  - { id: gdm, kind: openai_compatible, label: GDM }
completion_models:
  - { name: gpt-4o, litellm_model_name: gpt-4o }
  - { name: large, litellm_model_name: gdm/org/large }
`;

interface StoredRow {
  readonly id: string;
  readonly tenant: string;
  readonly provider: string;
  readonly sealed: string;
  readonly key_id: string;
  /** Decrypted. */
  readonly key: string;
}

export interface EneoImports {
  readonly tenkey: TestApp;
  /** The databases with the fixtures eneo-api-credentials.sql and eneo-model-providers.sql. */
  readonly api: TestDatabase;
  readonly providers: TestDatabase;
  readonly folder: string;
  /** What the commands have printed. */
  readonly outputs: readonly string[];
  /** Writes a file into the folder. @returns its path */
  file(name: string, content: string): string;
  run(env: Record<string, string>, ...words: string[]): ReturnType<typeof runCli>;
  /** Imports with the old key of Eneo. */
  importFrom(source: TestDatabase, ...words: string[]): ReturnType<typeof runCli>;
  /** Everything that an import may write, with the number of the last version. */
  written(): Promise<unknown[]>;
  events(): Promise<string[]>;
  /** The live credentials of the tenants whose id begins like this. */
  storedRows(idPrefix: string): Promise<StoredRow[]>;
  close(): Promise<void>;
}

/** An application without tenants, and an Eneo database of each schema. */
export async function startEneoImports(): Promise<EneoImports> {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-import-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const models = `providers:${eneoModels}`;
  const keys = { ENCRYPTION_KEY: current.key, ENCRYPTION_KEY_PREVIOUS: previous.join(',') };
  const tenkey = await startTestApp(keys, { models });
  const usual = {
    ...keys,
    DATABASE_URL: tenkey.databaseUrl,
    AI_MODELS_FILE: file('ai_models.yml', models),
    EGRESS_ALLOW: `127.0.0.1:${tenkey.provider.port}`,
  };
  const oldKeyFile = file('old-key', `${old.key}\n`);
  const [api, providers] = [await createEmptyDatabase(), await createEmptyDatabase()];
  await execute(
    api.url,
    eneoFixture('eneo-api-credentials.sql'),
    `UPDATE tenants SET api_credentials = api_credentials ||
       '{"mistral": {"api_key": "enc:fernet:v1:${longest.token}"}}' WHERE name = 'timra'`,
  );
  const fixture = eneoFixture('eneo-model-providers.sql');
  await execute(providers.url, fixture.replaceAll('http://gdm.example', tenkey.provider.url));

  const outputs: string[] = [];
  const run: EneoImports['run'] = async (env, ...words) => {
    const result = await runCli({ ...usual, ...env }, ...words);
    outputs.push(result.stdout, result.stderr);
    return result;
  };
  const textOf = (table: string) =>
    tenkey.database.query<{ row: string }[]>(`SELECT t::text AS row FROM ${table} t ORDER BY 1`);
  return {
    tenkey,
    api,
    providers,
    folder,
    outputs,
    file,
    run,
    importFrom: (source, ...words) =>
      run({}, 'import', 'eneo', '--from', source.url, '--old-encryption-key-file', oldKeyFile, ...words),
    written: async () => {
      const tables = ['tenants', 'tenant_credentials', 'credential_slots', 'audit_events', 'audit_head'];
      return Promise.all([
        ...tables.map(textOf),
        tenkey.database.query('SELECT last_value FROM credential_versions'),
      ]);
    },
    events: async () => (await textOf('audit_events')).map(({ row }) => row),
    storedRows: async (idPrefix) => {
      const rows = await tenkey.database.query<Omit<StoredRow, 'key'>[]>(
        `SELECT t.id, t.name AS tenant, provider, sealed_api_key AS sealed, key_id
         FROM tenant_credentials c JOIN tenants t ON t.id = c.tenant_id WHERE t.id::text LIKE $1 ORDER BY t.id, provider`,
        [`${idPrefix}%`],
      );
      return rows.map((row) => ({ ...row, key: encryptionKeys.decrypt(row.sealed, row.key_id).expose() }));
    },
    close: async () => {
      await Promise.all([api.drop(), providers.drop()]);
      await tenkey.close();
      rmSync(folder, { recursive: true });
    },
  };
}
