import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class KeepClientRequestIds1766200000000 implements MigrationInterface {
  readonly name = 'KeepClientRequestIds1766200000000';

  async up(runner: QueryRunner): Promise<void> {
    // Nullable, because processes of the version before still write during an update.
    await runner.query('alter table usage_records add column client_request_id text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table usage_records drop column client_request_id');
  }
}
