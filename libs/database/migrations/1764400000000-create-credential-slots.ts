import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateCredentialSlots1764400000000 implements MigrationInterface {
  readonly name = 'CreateCredentialSlots1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    // A separate table, so that no mistake in a query for a call can find a key that is not live.
    await runner.query(`
      create table credential_slots (
        tenant_id uuid not null references tenants (id) on delete cascade,
        provider text not null,
        slot text not null check (slot in ('staged', 'previous')),
        sealed_api_key text not null,
        key_hint text not null,
        settings jsonb not null default '{}',
        key_id text not null,
        version bigint not null,
        seal text not null,
        configured_at timestamptz not null,
        expires_at timestamptz,
        replaced_at timestamptz,
        primary key (tenant_id, provider, slot),
        check ((slot = 'previous') = (replaced_at is not null))
      )`);
    await runner.query(`
      create index credential_slots_by_age on credential_slots (replaced_at) where slot = 'previous'`);
    // Health is kept as long as its version is in any slot, which no foreign key can express.
    await runner.query(
      'alter table credential_health drop constraint credential_health_tenant_id_provider_fkey',
    );
    await runner.query(
      `alter table credential_health add constraint credential_health_tenant_id_fkey
       foreign key (tenant_id) references tenants (id) on delete cascade`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table credential_slots');
    await runner.query('alter table credential_health drop constraint credential_health_tenant_id_fkey');
    await runner.query(`
      delete from credential_health h where not exists (
        select 1 from tenant_credentials c where c.tenant_id = h.tenant_id and c.provider = h.provider)`);
    await runner.query(
      `alter table credential_health add constraint credential_health_tenant_id_provider_fkey
       foreign key (tenant_id, provider) references tenant_credentials (tenant_id, provider) on delete cascade`,
    );
  }
}
