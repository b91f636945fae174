import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** When each process renewed its registration last, so that one look at the registry shows which are silent. */
export class NoteRenewalTimes1766800000001 implements MigrationInterface {
  readonly name = 'NoteRenewalTimes1766800000001';

  async up(runner: QueryRunner): Promise<void> {
    // Null for processes of the version before, which renew without it during an update.
    await runner.query('alter table registered_processes add column renewed_at timestamptz');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table registered_processes drop column renewed_at');
  }
}
