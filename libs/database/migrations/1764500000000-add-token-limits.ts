import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class AddTokenLimits1764500000000 implements MigrationInterface {
  readonly name = 'AddTokenLimits1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'alter table tenant_keys add column tokens_per_minute integer check (tokens_per_minute > 0)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenant_keys drop column tokens_per_minute');
  }
}
