import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateAuditEvents1764100000000 implements MigrationInterface {
  readonly name = 'CreateAuditEvents1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    // No foreign key to the tenant, because the event of its deletion is kept.
    await runner.query(`
      create table audit_events (
        seq bigint primary key,
        at timestamptz not null,
        actor text not null,
        action text not null,
        outcome text not null check (outcome in ('done', 'refused')),
        tenant_id uuid,
        provider text,
        details jsonb not null default '{}',
        request_id text not null,
        address text not null,
        key_id text,
        hash text not null
      )`);
    await runner.query('create index audit_events_of_tenant on audit_events (tenant_id, seq desc)');
    // The end of the chain. Its row lock serialises concurrent changes.
    await runner.query(`
      create table audit_head (
        id integer primary key check (id = 1),
        seq bigint not null,
        hash text not null
      )`);
    await runner.query(`insert into audit_head (id, seq, hash) values (1, 0, '')`);
    await runner.query(`
      create function refuse_change_of_audit_events() returns trigger language plpgsql as $$
      begin
        raise exception 'audit events are append-only';
      end $$`);
    await runner.query(`
      create trigger audit_events_are_append_only before update or delete on audit_events
      for each row execute function refuse_change_of_audit_events()`);
    await runner.query(`
      create trigger audit_events_are_not_emptied before truncate on audit_events
      for each statement execute function refuse_change_of_audit_events()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table audit_head');
    await runner.query('drop table audit_events');
    await runner.query('drop function refuse_change_of_audit_events');
  }
}
