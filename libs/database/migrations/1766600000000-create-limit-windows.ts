import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What tenant keys have used in the last minute, over all processes. */
export class CreateLimitWindows1766600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenant_keys add constraint tenant_keys_by_tenant unique (tenant_id, id)');
    // The amounts of 61 seconds, the newest last, so that nothing is dropped before it is a full minute old.
    await runner.query(`
      create table limit_windows (
        tenant_id uuid not null,
        tenant_key_id text not null,
        unit text not null check (unit in ('requests', 'tokens')),
        second bigint not null,
        amounts bigint[] not null check (cardinality(amounts) = 61),
        primary key (tenant_id, tenant_key_id, unit),
        foreign key (tenant_id, tenant_key_id) references tenant_keys (tenant_id, id) on delete cascade
      ) with (fillfactor = 50)`);
    // Each request first corrects the window, then takes up to "most" of what is left, if that is at least "least". A key that does
    // not exist, or is being deleted, has no reply. A window that another transaction holds for longer than the timeout, as one that
    // deletes its key, is left alone, and its reply is null; the others of the statement do not wait for it again. What is given back is
    // subtracted from the second in which it was granted, and if that has less, from the seconds before, which errs towards counting
    // too much.
    await runner.query(`
      create function take_from_limit_windows(requests jsonb)
      returns table (place integer, available bigint, granted bigint, second bigint, amounts bigint[])
      language plpgsql set lock_timeout = '1s' as $$
      #variable_conflict use_column
      declare
        request record;
        correction record;
        clock bigint;
        step integer;
        back bigint;
        part bigint;
      begin
        for request in
          select ordinality::integer as place, r ->> 'unit' as unit, (r ->> 'tenantId')::uuid as tenant_id,
            r ->> 'tenantKeyId' as tenant_key_id, (r ->> 'limit')::bigint as most_of_all, (r ->> 'least')::bigint as least,
            (r ->> 'most')::bigint as most, r -> 'corrections' as corrections
          from jsonb_array_elements(requests) with ordinality as each (r, ordinality) order by ordinality
        loop
          place := request.place;
          select w.second, w.amounts into second, amounts from limit_windows w
            where w.tenant_id = request.tenant_id and w.tenant_key_id = request.tenant_key_id and w.unit = request.unit
            for update skip locked;
          if not found then
            begin
              insert into limit_windows (tenant_id, tenant_key_id, unit, second, amounts)
                select k.tenant_id, k.id, request.unit, 0, array_fill(0::bigint, array[61]) from tenant_keys k
                where k.tenant_id = request.tenant_id and k.id = request.tenant_key_id and not exists (
                  select from limit_windows w where w.tenant_id = k.tenant_id and w.tenant_key_id = k.id and w.unit = request.unit)
                for key share skip locked
                on conflict do nothing;
              select w.second, w.amounts into second, amounts from limit_windows w
                where w.tenant_id = request.tenant_id and w.tenant_key_id = request.tenant_key_id and w.unit = request.unit
                for update;
              continue when not found;
            exception when lock_not_available or deadlock_detected then
              perform set_config('lock_timeout', '10ms', true);
              available := null;
              granted := null;
              second := null;
              amounts := null;
              return next;
              continue;
            end;
          end if;
          clock := floor(extract(epoch from clock_timestamp()));
          -- A clock that was set back by more than a minute must not keep the window from ever moving.
          if second > clock + 61 then
            second := 0;
          end if;
          step := least(61, greatest(0, clock - second));
          amounts := amounts[step + 1:61] || array_fill(0::bigint, array[step]);
          second := greatest(second, clock);
          for correction in
            select (c ->> 0)::bigint as second, (c ->> 1)::bigint as amount
            from jsonb_array_elements(request.corrections) as each (c) order by 1
          loop
            step := 61 - greatest(0, second - correction.second);
            if correction.amount > 0 and step > 0 then
              amounts[step] := amounts[step] + correction.amount;
            end if;
            back := -correction.amount;
            while back > 0 and step > 0 loop
              part := least(back, amounts[step]);
              amounts[step] := amounts[step] - part;
              back := back - part;
              step := step - 1;
            end loop;
          end loop;
          available := request.most_of_all - (select sum(amount) from unnest(amounts) as each (amount));
          granted := case when available >= request.least then greatest(0, least(request.most, available)) else 0 end;
          amounts[61] := amounts[61] + granted;
          update limit_windows w set second = take_from_limit_windows.second, amounts = take_from_limit_windows.amounts
            where w.tenant_id = request.tenant_id and w.tenant_key_id = request.tenant_key_id and w.unit = request.unit;
          if available >= 0 and granted = request.most then
            amounts := null;
          end if;
          return next;
        end loop;
      end $$`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function take_from_limit_windows');
    await runner.query('drop table limit_windows');
    await runner.query('alter table tenant_keys drop constraint tenant_keys_by_tenant');
  }
}
