import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Where a tenant's calls may go. Null means that there is no rule. */
export class TenantPolicy1766400000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `alter table tenants
         add column allowed_hosting text[], add column allowed_providers text[], add column egress_allow text[]`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'alter table tenants drop column allowed_hosting, drop column allowed_providers, drop column egress_allow',
    );
  }
}
