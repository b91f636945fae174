import { Problem } from '#http';
import { placeOfCursor } from './usage-place';
import { fieldsOf, type UsageGroup, type UsagePlace } from './usage-report.service';
import { type TenantUsageQuery, type UsageQuery } from './usage.dto';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days of a report that names none. */
const USUAL_DAYS = 30;

export interface AskedUsage {
  readonly since: string;
  readonly until: string;
  readonly groups: readonly UsageGroup[];
  readonly limit: number;
  /** Absent: the first page. */
  readonly after?: UsagePlace;
  readonly isCsv: boolean;
}

/** @throws Problem validation_failed when the days are in the wrong order, or the cursor is of another report */
export function askedUsage(query: UsageQuery | TenantUsageQuery, now = Date.now()): AskedUsage {
  const groups = (query.group_by ?? 'day').split(',').filter((name) => name !== '') as UsageGroup[];
  const { limit = 1000, cursor, format } = query;
  const place = cursor === undefined ? [] : placeOfCursor(cursor, ['day', 'day', ...fieldsOf(groups)]);
  if (place === undefined) {
    const message = 'cursor must be the next_cursor of a page with the same group_by';
    throw new Problem('validation_failed', {
      detail: 'The cursor is not valid.',
      errors: [{ path: 'cursor', message }],
    });
  }
  // A report that names no days has those of its first page, also when midnight has passed since.
  const [firstDay, lastDay, ...after] = place;
  const until = query.until ?? lastDay ?? dayOf(now);
  const since = query.since ?? firstDay ?? dayOf(Date.parse(until) - (USUAL_DAYS - 1) * DAY_MS);
  if (since > until) {
    const fault = { path: 'since', message: 'since must not be after until' };
    throw new Problem('validation_failed', { detail: 'The days are in the wrong order.', errors: [fault] });
  }
  return {
    since,
    until,
    groups,
    limit,
    after: cursor === undefined ? undefined : after,
    isCsv: format === 'csv',
  };
}

/** The day in UTC; empty for an invalid time. */
function dayOf(time: number): string {
  return Number.isNaN(time) ? '' : new Date(time).toISOString().slice(0, 10);
}
