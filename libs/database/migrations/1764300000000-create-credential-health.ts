import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateCredentialHealth1764300000000 implements MigrationInterface {
  readonly name = 'CreateCredentialHealth1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenant_credentials add column expires_at timestamptz');
    // A separate table, so that the results of calls and verifications never lock or rewrite a sealed row. The version is a
    // part of the key, so that a late result for a replaced credential does not count for the new one.
    await runner.query(`
      create table credential_health (
        tenant_id uuid not null,
        provider text not null,
        version bigint not null,
        outcome text check (outcome in ('accepted', 'rejected', 'forbidden', 'quota', 'wrong_host',
          'network_rules', 'unreachable', 'unknown')),
        latency_ms integer,
        verified_at timestamptz,
        rejections integer not null default 0,
        rejected_at timestamptz,
        primary key (tenant_id, provider, version),
        foreign key (tenant_id, provider) references tenant_credentials (tenant_id, provider) on delete cascade
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table credential_health');
    await runner.query('alter table tenant_credentials drop column expires_at');
  }
}
