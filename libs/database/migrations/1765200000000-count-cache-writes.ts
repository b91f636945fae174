import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CountCacheWrites1765200000000 implements MigrationInterface {
  readonly name = 'CountCacheWrites1765200000000';

  async up(runner: QueryRunner): Promise<void> {
    // With defaults, because processes of the version before still write during an update.
    await runner.query(`
      alter table usage_records
        add column cache_write_tokens bigint,
        add column is_estimated boolean not null default false`);
    await runner.query('alter table usage_daily add column cache_write_tokens bigint not null default 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table usage_daily drop column cache_write_tokens');
    await runner.query('alter table usage_records drop column cache_write_tokens, drop column is_estimated');
  }
}
