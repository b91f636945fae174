import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class AddTenantContact1764700000000 implements MigrationInterface {
  readonly name = 'AddTenantContact1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenants add column contact_email text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenants drop column contact_email');
  }
}
