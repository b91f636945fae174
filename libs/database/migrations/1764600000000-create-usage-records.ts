import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateUsageRecords1764600000000 implements MigrationInterface {
  readonly name = 'CreateUsageRecords1764600000000';

  async up(runner: QueryRunner): Promise<void> {
    // No foreign key to the tenant, because its usage is kept when it is deleted.
    await runner.query(`
      create table usage_records (
        request_id uuid primary key,
        at timestamptz not null,
        tenant_id uuid not null,
        key_id text,
        model text not null,
        operation text not null,
        adapter text not null,
        provider text not null,
        host text not null,
        target text not null,
        source text not null check (source in ('tenant', 'global')),
        mask text not null,
        version bigint,
        outcome text not null check (outcome in ('completed', 'failed', 'broken_off', 'client_left')),
        status integer not null,
        code text,
        upstream_status integer,
        attempts integer not null,
        input_tokens bigint,
        output_tokens bigint,
        cached_tokens bigint,
        first_byte_ms integer,
        total_ms integer not null,
        request_bytes bigint not null,
        response_bytes bigint not null
      )`);
    await runner.query('create index usage_records_by_time on usage_records (at, request_id)');
    await runner.query('create index usage_records_of_tenant on usage_records (tenant_id, at, request_id)');
    // Only the retention may delete records; it sets tenkey.usage_retention in its transaction.
    await runner.query(`
      create function refuse_change_of_usage_records() returns trigger language plpgsql as $$
      begin
        if tg_op = 'DELETE' and current_setting('tenkey.usage_retention', true) = 'on' then
          return old;
        end if;
        raise exception 'usage records are immutable';
      end $$`);
    await runner.query(`
      create trigger usage_records_are_immutable before update or delete on usage_records
      for each row execute function refuse_change_of_usage_records()`);
    await runner.query(`
      create trigger usage_records_are_not_emptied before truncate on usage_records
      for each statement execute function refuse_change_of_usage_records()`);
    // Sums by UTC day. The statement that writes the records updates them, and they are kept when the records are deleted.
    await runner.query(`
      create table usage_daily (
        day date not null,
        tenant_id uuid not null,
        provider text not null,
        model text not null,
        operation text not null,
        key_id text,
        source text not null,
        mask text not null,
        version bigint,
        calls bigint not null,
        failed bigint not null,
        unfinished bigint not null,
        unmetered bigint not null,
        input_tokens bigint not null,
        output_tokens bigint not null,
        cached_tokens bigint not null,
        request_bytes bigint not null,
        response_bytes bigint not null,
        unique nulls not distinct (day, tenant_id, provider, model, operation, key_id, source, mask, version)
      )`);
    await runner.query('create index usage_daily_of_tenant on usage_daily (tenant_id, day)');
    // Calls whose records could not be stored, so that a report can state that its sums are incomplete.
    await runner.query(`
      create table usage_lost (
        day date not null,
        tenant_id uuid not null,
        calls bigint not null,
        primary key (day, tenant_id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table usage_lost');
    await runner.query('drop table usage_daily');
    await runner.query('drop table usage_records');
    await runner.query('drop function refuse_change_of_usage_records');
  }
}
