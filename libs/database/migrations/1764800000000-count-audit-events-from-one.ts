import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CountAuditEventsFromOne1764800000000 implements MigrationInterface {
  readonly name = 'CountAuditEventsFromOne1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    // `not valid` checks new rows only. A forged row that already exists must not prevent a start; `audit verify` reports it.
    await runner.query(
      'alter table audit_events add constraint audit_events_count_from_one check (seq > 0) not valid',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table audit_events drop constraint audit_events_count_from_one');
  }
}
