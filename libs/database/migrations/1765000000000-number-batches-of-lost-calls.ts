import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class NumberBatchesOfLostCalls1765000000000 implements MigrationInterface {
  readonly name = 'NumberBatchesOfLostCalls1765000000000';

  async up(runner: QueryRunner): Promise<void> {
    // The last batch that each process has added to usage_lost, so that a batch that is sent again is not added twice.
    await runner.query(`
      create table usage_lost_batches (
        process uuid primary key,
        number integer not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table usage_lost_batches');
  }
}
