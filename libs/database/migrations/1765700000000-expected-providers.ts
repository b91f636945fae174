import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** The providers that a tenant should have a credential for. */
export class ExpectedProviders1765700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenants add column expected_providers text[]');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenants drop column expected_providers');
  }
}
