import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CountAuditEventsFromOne1764800000000 implements MigrationInterface {
  readonly name = 'CountAuditEventsFromOne1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    // Not valid: for new rows only. A forged one that is there already must not keep the service from starting; the
    // verification of the audit names it.
    await runner.query(
      'alter table audit_events add constraint audit_events_count_from_one check (seq > 0) not valid',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table audit_events drop constraint audit_events_count_from_one');
  }
}
