import { type MigrationInterface, type QueryRunner } from 'typeorm';

const bounds = [50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000, 300_000];

/** Sums of usage records by UTC hour, for plots of the last days. The statement that writes the records updates them. */
export class CreateHourlySums1766800000000 implements MigrationInterface {
  readonly name = 'CreateHourlySums1766800000000';

  async up(runner: QueryRunner): Promise<void> {
    // The completed calls by duration: one column for each bucket.
    const durations = [...bounds.map((bound) => `to_${bound}_ms`), `above_${bounds.at(-1)}_ms`];
    // Integers are enough for an hour, and are summed faster than bigints.
    await runner.query(`
      create table usage_hourly (
        hour timestamptz not null,
        tenant_id uuid not null,
        provider text not null,
        model text not null,
        calls integer not null,
        failed integer not null,
        unfinished integer not null,
        input_tokens bigint not null,
        output_tokens bigint not null,
        total_ms bigint not null,
        ${durations.map((column) => `${column} integer not null`).join(', ')},
        primary key (hour, tenant_id, provider, model)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table usage_hourly');
  }
}
