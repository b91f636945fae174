import { join } from 'node:path';
import { schema } from '../../../libs/database/migrations/schema';
import { encryptionKey } from '../app';
import { changed, type Plant } from './plant';

/** Faults of settings, files, the server and the schema. */
export const faultsOfInstallation: readonly Plant[] = [
  {
    title: 'an invalid setting',
    env: { PORT: 'seventy', LOG_LEVEL: 'loud' },
    check: 'settings',
    status: 'fault',
    text: 'PORT must be a whole number',
  },
  {
    title: 'a global key that strict mode does not read',
    env: { OPENAI_API_KEY: 'sk-a-global-key-of-the-operator' },
    check: 'settings',
    status: 'warning',
    text: 'not read in strict mode: OPENAI_API_KEY',
  },
  {
    title: 'an .env that every user can read',
    files: { '.env': { text: 'ENEO_SUPER_API_KEY=a-super-key-of-enough-length\n', mode: 0o644 } },
    env: { INTRIC_SUPER_API_KEY: undefined },
    check: 'secret files',
    status: 'fault',
    text: '.env can be read by every user',
  },
  {
    title: 'a secret file that its group can read',
    files: { key: { text: encryptionKey, mode: 0o640 } },
    env: ({ folder }) => ({ ENCRYPTION_KEY: undefined, ENCRYPTION_KEY_FILE: join(folder, 'key') }),
    check: 'secret files',
    status: 'warning',
    text: 'the file that ENCRYPTION_KEY_FILE names can be read by its group',
  },
  {
    title: 'a model catalogue that is no YAML',
    files: { 'models.yml': { text: 'completion_models: [', mode: 0o600 } },
    env: ({ folder }) => ({ AI_MODELS_FILE: join(folder, 'models.yml') }),
    check: 'model catalogue',
    status: 'fault',
    text: 'a start fails',
  },
  {
    title: 'a database that does not respond',
    env: { DATABASE_URL: 'postgresql://tenkey:pass@127.0.0.1:1/tenkey' },
    check: 'database',
    status: 'fault',
    text: 'the database is unavailable: ECONNREFUSED',
  },
  {
    title: 'a database that is set to read-only',
    env: ({ databaseUrl }) => ({
      DATABASE_URL: `${databaseUrl}?options=-c%20default_transaction_read_only%3Don`,
    }),
    check: 'database',
    status: 'fault',
    text: 'set to read-only',
  },
  {
    title: 'a database in which no trigger fires',
    env: ({ databaseUrl }) => ({
      DATABASE_URL: `${databaseUrl}?options=-c%20session_replication_role%3Dreplica`,
    }),
    check: 'database',
    status: 'fault',
    text: 'no trigger and no foreign key works',
  },
  {
    title: 'clocks that differ',
    clockMs: 10_000,
    check: 'clock',
    status: 'warning',
    text: /ms behind this machine's/,
  },
  {
    title: 'too few connections',
    sql: [`do $$ begin execute format('alter database %I connection limit 5', current_database()); end $$`],
    undo: [`do $$ begin execute format('alter database %I connection limit -1', current_database()); end $$`],
    check: 'connections',
    status: 'fault',
    text: /of 5 are open; a process may open 12, more than there are/,
  },
  {
    title: 'a deleted row of the migrations',
    ...changed('migrations', `delete from migrations where name = 'CountCacheWrites1765200000000'`),
    check: 'migrations',
    status: 'fault',
    text: 'later migrations are done: CountCacheWrites1765200000000',
    fix: `values (1765200000000, 'CountCacheWrites1765200000000')`,
  },
  {
    title: 'a migration of a later version',
    sql: [`insert into migrations (timestamp, name) values (1999999999999, 'Later1999999999999')`],
    undo: [`delete from migrations where name = 'Later1999999999999'`],
    check: 'migrations',
    status: 'fault',
    text: 'does not know Later1999999999999',
  },
  {
    title: 'a missing migration',
    ...changed('migrations', 'delete from migrations where id = (select max(id) from migrations)'),
    check: 'migrations',
    status: 'fault',
    text: '1 migration is missing',
    fix: 'npx tenkey migrate',
  },
  {
    title: 'a dropped trigger of the audit',
    sql: ['drop trigger audit_events_are_append_only on audit_events'],
    undo: [statement('trigger audit_events_are_append_only on audit_events')],
    check: 'schema',
    status: 'fault',
    text: 'trigger audit_events_are_append_only on audit_events is missing, so audit events may have been changed',
    fix: 'CREATE TRIGGER audit_events_are_append_only',
  },
  {
    title: 'a disabled trigger of the cache',
    sql: ['alter table tenant_credentials disable trigger tenant_credentials_updated'],
    undo: ['alter table tenant_credentials enable trigger tenant_credentials_updated'],
    check: 'schema',
    status: 'fault',
    text: 'tenant_credentials_updated on tenant_credentials is disabled, so processes may go on',
    fix: 'enable trigger tenant_credentials_updated',
  },
  {
    title: 'a function with another body',
    sql: [
      `create or replace function announce_change() returns trigger language plpgsql as 'begin return null; end'`,
    ],
    undo: [statement('function announce_change')],
    check: 'schema',
    status: 'fault',
    text: 'function announce_change is not as the migrations made it',
  },
  {
    title: 'a dropped foreign key',
    sql: ['alter table credential_slots drop constraint credential_slots_tenant_id_fkey'],
    undo: [statement('constraint credential_slots_tenant_id_fkey on credential_slots')],
    check: 'schema',
    status: 'fault',
    text: 'credential_slots_tenant_id_fkey on credential_slots is missing, so rows can be stored that belong to no tenant',
  },
  {
    title: 'foreign keys that are switched off',
    sql: ['alter table tenant_credentials disable trigger all'],
    undo: ['alter table tenant_credentials enable trigger all'],
    check: 'schema',
    status: 'fault',
    text: 'the foreign keys of tenant_credentials are not enforced',
  },
  {
    title: 'a dropped unique constraint',
    sql: ['alter table tenants drop constraint tenants_name_key'],
    undo: [statement('constraint tenants_name_key on tenants')],
    check: 'schema',
    status: 'fault',
    text: 'tenants_name_key on tenants is missing',
  },
  {
    title: 'a trigger of somebody else',
    sql: [
      'create trigger spy after insert on tenant_credentials for each row execute function refuse_change_of_audit_events()',
    ],
    undo: ['drop trigger spy on tenant_credentials'],
    check: 'schema',
    status: 'warning',
    text: "trigger spy on tenant_credentials is not one of Tenkey's",
  },
];

function statement(part: string): string {
  return schema[part] ?? '';
}
