import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Personal values of audit events, which can be erased, and the deletion of old events. The triggers allow a deletion only if the
 * newest event of the chain records it. That event is written in the same transaction, and its hash needs the encryption key.
 */
export class EraseAndExpireAudit1766400000020 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table audit_values (
        seq bigint not null,
        path text not null,
        tenant_id uuid,
        salt text not null,
        value text not null,
        primary key (seq, path)
      )`);
    await runner.query('create index audit_values_of_tenant on audit_values (tenant_id)');
    await runner.query('create index audit_events_by_time on audit_events (at)');
    await runner.query(`
      create or replace function refuse_change_of_audit_events() returns trigger language plpgsql as $$
      declare
        newest record;
        through bigint;
      begin
        if tg_op = 'DELETE' then
          select e.action, e.outcome, e.tenant_id, e.details into newest
          from audit_events e join audit_head h on h.seq = e.seq where h.id = 1;
          if newest.action = 'audit.expire' and newest.outcome = 'done' then
            through := (newest.details ->> 'through')::bigint;
            if old.seq <= through then
              return old;
            end if;
          end if;
          if tg_table_name = 'audit_values' then
            if newest.action = 'tenant.delete' and newest.details -> 'erased' = 'true'::jsonb
              and newest.tenant_id = old.tenant_id
            then
              return old;
            end if;
          end if;
        end if;
        raise exception 'audit events are append-only';
      end $$`);
    await runner.query(`
      create trigger audit_values_are_append_only before update or delete on audit_values
      for each row execute function refuse_change_of_audit_events()`);
    await runner.query(`
      create trigger audit_values_are_not_emptied before truncate on audit_values
      for each statement execute function refuse_change_of_audit_events()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table audit_values');
    await runner.query('drop index audit_events_by_time');
    await runner.query(`
      create or replace function refuse_change_of_audit_events() returns trigger language plpgsql as $$
      begin
        raise exception 'audit events are append-only';
      end $$`);
  }
}
