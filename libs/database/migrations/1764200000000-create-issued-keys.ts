import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateIssuedKeys1764200000000 implements MigrationInterface {
  readonly name = 'CreateIssuedKeys1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenant_keys (
        id text primary key,
        tenant_id uuid not null references tenants (id) on delete cascade,
        name text not null,
        key_hash text not null,
        key_hint text not null,
        allowed_models text[] check (cardinality(allowed_models) > 0),
        requests_per_minute integer check (requests_per_minute > 0),
        expires_at timestamptz,
        last_used_at timestamptz,
        created_at timestamptz not null
      )`);
    await runner.query('create index tenant_keys_of_tenant on tenant_keys (tenant_id, created_at desc)');
    // A separate table, so that no mistake in a row or a query can turn one kind of key into the other.
    await runner.query(`
      create table sysadmin_keys (
        id text primary key,
        name text not null,
        key_hash text not null,
        key_hint text not null,
        scopes text[] not null check (cardinality(scopes) > 0),
        tenant_ids uuid[] check (cardinality(tenant_ids) > 0),
        expires_at timestamptz,
        last_used_at timestamptz,
        created_at timestamptz not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sysadmin_keys');
    await runner.query('drop table tenant_keys');
  }
}
