import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateStoredObjects1765300000000 implements MigrationInterface {
  readonly name = 'CreateStoredObjects1765300000000';

  async up(runner: QueryRunner): Promise<void> {
    // The hash follows the tenant in the key, because GET /v1/responses/{id} knows neither provider nor host.
    await runner.query(`
      create table stored_objects (
        tenant_id uuid not null references tenants on delete cascade,
        id_hash bytea not null,
        kind text not null,
        provider text not null,
        host text not null,
        model text not null,
        created_at timestamptz not null default now(),
        forget_at timestamptz,
        is_usage_due boolean not null default false,
        primary key (tenant_id, id_hash, kind, provider, host)
      )`);
    // Whether another tenant has the id.
    await runner.query('create index stored_objects_by_hash on stored_objects (id_hash)');
    await runner.query(
      'create index stored_objects_by_end on stored_objects (forget_at) where forget_at is not null',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table stored_objects');
  }
}
