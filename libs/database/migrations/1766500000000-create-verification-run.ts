import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** How far the latest verification of many credentials is. */
export class CreateVerificationRun1766500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create table verification_run (
         id integer primary key check (id = 1),
         state text not null check (state in ('running', 'paused', 'finished')),
         filter jsonb not null,
         total integer not null,
         verified integer not null,
         not_accepted integer not null,
         faults jsonb not null,
         position jsonb,
         next_at timestamptz not null,
         started_by jsonb not null,
         started_at timestamptz not null,
         changed_at timestamptz not null)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table verification_run');
  }
}
