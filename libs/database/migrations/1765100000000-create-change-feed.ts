import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** The tables that processes cache, with the column of the tenant, and the columns that no change of counts. */
const cachedTables = [
  { table: 'tenants', tenantColumn: 'id' },
  { table: 'tenant_credentials', tenantColumn: 'tenant_id' },
  { table: 'tenant_keys', tenantColumn: 'tenant_id', without: 'last_used_at' },
];

export class CreateChangeFeed1765100000000 implements MigrationInterface {
  readonly name = 'CreateChangeFeed1765100000000';

  async up(runner: QueryRunner): Promise<void> {
    // The number of the last change of a cached table. Its row lock puts the commits of such changes in order.
    await runner.query(`
      create table change_head (
        id integer primary key check (id = 1),
        number bigint not null
      )`);
    await runner.query('insert into change_head (id, number) values (1, 0)');
    // Not an unlogged table: a registration that a crash of the server forgets could not be waited for.
    await runner.query(`
      create table registered_processes (
        id uuid primary key,
        lease_ms integer not null check (lease_ms between 0 and 60000),
        renewals bigint not null,
        confirmed bigint not null,
        encryption_keys text[] not null,
        registered_at timestamptz not null default now()
      )`);
    await this.createFunctions(runner);
    for (const { table, tenantColumn, without } of cachedTables) {
      await runner.query(`
        create constraint trigger ${table}_changed after insert or delete on ${table}
        deferrable initially deferred for each row execute function note_cached_change('${tenantColumn}')`);
      const counted = (row: string) =>
        without === undefined ? `${row}.*` : `(to_jsonb(${row}) - '${without}')`;
      await runner.query(`
        create constraint trigger ${table}_updated after update on ${table}
        deferrable initially deferred for each row when (${counted('old')} is distinct from ${counted('new')})
        execute function note_cached_change('${tenantColumn}')`);
      await runner.query(`
        create trigger ${table}_emptied after truncate on ${table}
        for each statement execute function note_cached_change()`);
    }
    // Calls need to know only whether the provider rejected a credential.
    await runner.query(`
      create constraint trigger credential_health_noted after insert on credential_health
      deferrable initially deferred for each row when (new.rejected_at is not null)
      execute function note_cached_change('tenant_id')`);
    await runner.query(`
      create constraint trigger credential_health_forgotten after delete on credential_health
      deferrable initially deferred for each row when (old.rejected_at is not null)
      execute function note_cached_change('tenant_id')`);
    await runner.query(`
      create constraint trigger credential_health_updated after update on credential_health
      deferrable initially deferred for each row
      when ((old.rejected_at is null) is distinct from (new.rejected_at is null))
      execute function note_cached_change('tenant_id')`);
    await runner.query(`
      create constraint trigger change_head_raised after update on change_head
      deferrable initially deferred for each row execute function announce_change()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { table } of cachedTables) {
      await runner.query(`drop trigger ${table}_changed on ${table}`);
      await runner.query(`drop trigger ${table}_updated on ${table}`);
      await runner.query(`drop trigger ${table}_emptied on ${table}`);
    }
    for (const event of ['noted', 'forgotten', 'updated']) {
      await runner.query(`drop trigger credential_health_${event} on credential_health`);
    }
    await runner.query('drop table registered_processes');
    await runner.query('drop table change_head');
    await runner.query('drop function note_cached_change, announce_change');
  }

  private async createFunctions(runner: QueryRunner): Promise<void> {
    // The setting tenkey.changed is local to the transaction: its id and the tenants whose rows it changed, at most 100, or *
    // for all. The id makes a value without effect that was set for the whole session. A deferred trigger runs at the commit,
    // after the audit chain was locked, so that all transactions lock the chain first and the number second.
    await runner.query(`
      create function note_cached_change() returns trigger language plpgsql as $$
      declare
        transaction_id text := pg_current_xact_id()::text;
        noted text[] := string_to_array(current_setting('tenkey.changed', true), ' ');
        before text := case when tg_nargs > 0 and tg_op <> 'INSERT' then to_jsonb(old) ->> tg_argv[0] end;
        after text := case when tg_nargs > 0 and tg_op <> 'DELETE' then to_jsonb(new) ->> tg_argv[0] end;
        tenant text;
      begin
        if noted is null or noted[1] is distinct from transaction_id then
          noted := array[transaction_id];
          update change_head set number = number + 1 where id = 1;
          if not found then
            raise exception 'the row of change_head is missing';
          end if;
        end if;
        foreach tenant in array case when tg_nargs > 0 then array[before, after] else array['*'] end loop
          continue when tenant is null or noted[2] = '*' or tenant = any(noted[2:]);
          if tenant = '*' or cardinality(noted) > 100 then
            noted := array[transaction_id, '*'];
          else
            noted := noted || tenant;
          end if;
        end loop;
        perform set_config('tenkey.changed', array_to_string(noted, ' '), true);
        return null;
      end $$`);
    // Runs after every trigger that was deferred to the commit, because those raise the number. So one notification names all
    // tenants. With SET CONSTRAINTS ALL IMMEDIATE it runs before the first tenant is noted, and its notification means all
    // tenants. That covers later changes of the same transaction too, because everyone learns of them at the commit.
    await runner.query(`
      create function announce_change() returns trigger language plpgsql as $$
      declare
        noted text[] := string_to_array(current_setting('tenkey.changed', true), ' ');
        is_noted boolean := coalesce(noted[1] = pg_current_xact_id()::text, false);
      begin
        perform pg_notify('tenkey_changes',
          new.number || ' ' || case when is_noted then array_to_string(noted[2:], ',') else '*' end);
        perform set_config('tenkey.changed', '', true);
        return null;
      end $$`);
  }
}
