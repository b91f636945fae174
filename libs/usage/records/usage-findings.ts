import { type EntityManager } from 'typeorm';
import { counted, fault, type Finding, warning } from '#database';
import { durationColumns } from './durations';
import { dailySums, dayColumns, summedByDay } from './usage-tables';

/** How many days, calls and records were compared, and what was found. */
export interface UsageCheck {
  readonly days: number;
  readonly records: number;
  readonly findings: readonly Finding[];
}

const sums = Object.keys(dailySums);
/** What the sums of hours and of days have in common. The calls that have a duration are those that were completed. */
const hourlyAndDaily = {
  calls: ['calls', 'calls'],
  failed: ['failed', 'failed'],
  unfinished: ['unfinished', 'unfinished'],
  input_tokens: ['input_tokens', 'input_tokens'],
  output_tokens: ['output_tokens', 'output_tokens'],
  completed: [durationColumns.join(' + '), 'calls - failed - unfinished'],
} as const;

/**
 * Compares the sums of each day with its records. Both are written in one statement and only the retention deletes records, always
 * the oldest. So from the oldest record on, a record or a sum that was changed, added or deleted shows. Before that there are only
 * sums, and whether records of a time within the retention were deleted by somebody, or by a retention that was shorter then,
 * cannot be told. Nor can it if somebody changed records and sums alike.
 * @param retentionDays 0: records are kept for ever
 */
export async function usageFindings(
  manager: EntityManager,
  retentionDays: number,
  onDay?: (days: number) => void,
): Promise<UsageCheck> {
  const [kept] = await manager.query<{ oldest: string | null; records: number; since: string | null }[]>(
    `select (min(at) at time zone 'UTC')::date::text as oldest, count(*)::float8 as records,
       case when $1 > 0 then ((now() at time zone 'UTC')::date - $1)::text end as since
     from usage_records`,
    [retentionDays],
  );
  const { oldest, since } = kept!;
  const findings = [
    ...(await daysWithoutRecords(manager, oldest, since)),
    ...(await differencesOfHours(manager)),
  ];
  if (oldest === null) return { days: 0, records: 0, findings };
  // On the first day of the retention, some records have been deleted already.
  const days = await manager.query<{ day: string }[]>(
    `select day::text from (
       select day from usage_daily union select (at at time zone 'UTC')::date from usage_records) both_tables
     where day >= $1::date and ($2::date is null or day > $2::date) order by day`,
    [oldest, since],
  );
  // A retention that is or was shorter may have deleted some records of the day of the oldest one.
  const isWholeFrom = (day: string) => retentionDays === 0 || day > oldest;
  for (const [index, { day }] of days.entries()) {
    const different = await differencesOn(manager, day);
    findings.push(
      ...different.map((each) => (isWholeFrom(day) ? each : { ...each, severity: 'warning' as const })),
    );
    onDay?.(index + 1);
  }
  return { days: days.length, records: kept!.records, findings };
}

async function daysWithoutRecords(
  manager: EntityManager,
  oldest: string | null,
  since: string | null,
): Promise<Finding[]> {
  const [row] = await manager.query<{ days: number; first: string; last: string; calls: string }[]>(
    `select count(distinct day)::int as days, min(day)::text as first, max(day)::text as last,
       coalesce(sum(calls), 0)::text as calls
     from usage_daily where ($1::date is null or day < $1::date) and ($2::date is null or day > $2::date)`,
    [oldest, since],
  );
  if (row === undefined || row.days === 0) return [];
  const period = row.days === 1 ? row.first : `${row.days} days from ${row.first} to ${row.last}`;
  return [
    warning(
      `${period}: usage_daily counts ${row.calls} calls, of which no record is left, although USAGE_RETENTION_DAYS keeps them`,
      'Nothing to do if USAGE_RETENTION_DAYS was shorter then. Otherwise somebody deleted the oldest records: compare with a backup.',
    ),
  ];
}

/**
 * Compares the sums of hours with those of their days, from the first whole day on. On the day before, the sums begin: with the update
 * that created them, or where the retention has deleted earlier ones.
 */
async function differencesOfHours(manager: EntityManager): Promise<Finding[]> {
  const names = Object.keys(hourlyAndDaily);
  const sumsOf = (side: 0 | 1) =>
    Object.entries(hourlyAndDaily).map(([name, columns]) => `coalesce(sum(${columns[side]}), 0) as ${name}`);
  const rows = await manager.query<{ day: string; tenants: number; hourly: string; daily: string }[]>(
    `with first as (select (min(hour) at time zone 'UTC')::date as day from usage_hourly),
       by_hour as (
         select (hour at time zone 'UTC')::date as day, tenant_id, provider, model, ${sumsOf(0).join(', ')}
         from usage_hourly group by 1, 2, 3, 4),
       by_day as (
         select day, tenant_id, provider, model, ${sumsOf(1).join(', ')} from usage_daily
         where day > (select day from first) group by 1, 2, 3, 4),
       different as (
         select day, tenant_id, sum(calls) filter (where side = 1) as hourly, sum(calls) filter (where side = 2) as daily
         from (select 1 as side, * from by_hour where day > (select day from first)
               union all select 2, * from by_day) both_sides
         group by day, tenant_id, provider, model
         having ${names.map((name) => `sum(${name} * (3 - 2 * side)) <> 0`).join(' or ')}
       )
     select day::text, count(distinct tenant_id)::int as tenants,
       coalesce(sum(hourly), 0)::text as hourly, coalesce(sum(daily), 0)::text as daily
     from different group by day order by day`,
  );
  return rows.map(({ day, tenants, hourly, daily }) =>
    warning(
      `${day}: sums of ${counted(tenants, 'tenant')} in usage_hourly differ from those of the day (${hourly} calls by hour, ${daily} by day)`,
      'Nothing to do if a process of an earlier version, which has no sums by hour, ran on that day. Otherwise somebody changed sums in SQL. Only plots of that day are wrong, and its hours are deleted after 14 days.',
    ),
  );
}

async function differencesOn(manager: EntityManager, day: string): Promise<Finding[]> {
  const records = `(select * from usage_records
    where at >= $1::date::timestamp at time zone 'UTC' and at < ($1::date + 1)::timestamp at time zone 'UTC') of_day`;
  const [row] = await manager.query<{ rows: number; tenants: number; counted: string; recorded: string }[]>(
    `with counted as (select ${dayColumns}, ${sums.join(', ')} from usage_daily where day = $1::date),
       recorded (${dayColumns}, ${sums.join(', ')}) as (${summedByDay(records)}),
       different as (
         select tenant_id, sum(calls) filter (where side = 1) as counted, sum(calls) filter (where side = 2) as recorded
         from (select 1 as side, * from counted union all select 2, * from recorded) both_sides
         group by ${dayColumns}
         having ${sums.map((sum) => `sum(${sum} * (3 - 2 * side)) <> 0`).join(' or ')}
       )
     select count(*)::int as rows, count(distinct tenant_id)::int as tenants,
       coalesce(sum(counted), 0)::text as counted, coalesce(sum(recorded), 0)::text as recorded
     from different`,
    [day],
  );
  if (row === undefined || row.rows === 0) return [];
  return [
    fault(
      `${day}: ${counted(row.rows, 'sum')} of ${counted(row.tenants, 'tenant')} in usage_daily ${row.rows === 1 ? 'differs from its' : 'differ from their'} records (${row.counted} calls counted, ${row.recorded} recorded)`,
      'Somebody changed or deleted sums or records in SQL. Compare that day with a backup; the log has a line for each request.',
    ),
  ];
}
