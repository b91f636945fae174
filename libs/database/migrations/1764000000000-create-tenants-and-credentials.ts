import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateTenantsAndCredentials1764000000000 implements MigrationInterface {
  // TypeORM would record the class name. The name is explicit so that minifying or renaming cannot change it.
  readonly name = 'CreateTenantsAndCredentials1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenants (
        id uuid primary key,
        name text not null unique,
        display_name text,
        state text not null default 'active' check (state in ('active', 'suspended')),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
      )`);
    await runner.query('create index tenants_newest_first on tenants (created_at desc, id desc)');
    // One sequence for all credentials: a version is never used twice, not even after a DELETE and another PUT.
    await runner.query('create sequence credential_versions');
    await runner.query(`
      create table tenant_credentials (
        tenant_id uuid not null references tenants (id) on delete cascade,
        provider text not null,
        sealed_api_key text not null,
        key_hint text not null,
        settings jsonb not null default '{}',
        key_id text not null,
        version bigint not null,
        seal text not null,
        configured_at timestamptz not null,
        primary key (tenant_id, provider)
      )`);
    await runner.query(`
      create table encryption_canary (
        id integer primary key check (id = 1),
        key_id text not null,
        sealed text not null,
        created_at timestamptz not null default now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table encryption_canary');
    await runner.query('drop table tenant_credentials');
    await runner.query('drop sequence credential_versions');
    await runner.query('drop table tenants');
  }
}
