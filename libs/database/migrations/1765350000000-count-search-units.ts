import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CountSearchUnits1765350000000 implements MigrationInterface {
  readonly name = 'CountSearchUnits1765350000000';

  async up(runner: QueryRunner): Promise<void> {
    // Nullable or with a default, because processes of the version before still write during an update.
    await runner.query('alter table usage_records add column search_units bigint');
    await runner.query('alter table usage_daily add column search_units bigint not null default 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table usage_daily drop column search_units');
    await runner.query('alter table usage_records drop column search_units');
  }
}
