import { Problem } from '#http';
import { fieldsOf, type UsageGroup } from './call-fields';
import { decodeCursor } from './report-cursor';
import { type TenantUsageQuery, type UsageQuery } from './usage.dto';
import { type ReportPosition } from './usage-report.service';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_DAYS = 30;

/** The parsed query of a usage report, with its defaults. */
export interface ReportParameters {
  readonly since: string;
  readonly until: string;
  readonly groups: readonly UsageGroup[];
  readonly provider?: string;
  readonly model?: string;
  readonly limit: number;
  /** Undefined for the first page. */
  readonly after?: ReportPosition;
  readonly isCsv: boolean;
}

/** @throws Problem validation_failed if the days are in the wrong order, or the cursor belongs to another report */
export function parseReportQuery(query: UsageQuery | TenantUsageQuery, now = Date.now()): ReportParameters {
  const groups = (query.group_by ?? 'day').split(',').filter((name) => name !== '') as UsageGroup[];
  const { limit = 1000, cursor, format, provider, model } = query;
  const values = cursor === undefined ? [] : decodeCursor(cursor, ['day', 'day', ...fieldsOf(groups)]);
  if (values === undefined) {
    const message = 'cursor must be the next_cursor of a page with the same group_by';
    throw new Problem('validation_failed', {
      detail: 'The cursor is not valid.',
      errors: [{ path: 'cursor', message }],
    });
  }
  // Without days in the query, every page has the days of the first one, even if midnight has passed since.
  const [firstDay, lastDay, ...after] = values;
  const until = query.until ?? lastDay ?? dayOf(now);
  const since = query.since ?? firstDay ?? dayOf(Date.parse(until) - (DEFAULT_DAYS - 1) * DAY_MS);
  if (since > until) {
    const fault = { path: 'since', message: 'since must not be after until' };
    throw new Problem('validation_failed', { detail: 'The days are in the wrong order.', errors: [fault] });
  }
  return {
    since,
    until,
    groups,
    provider,
    model,
    limit,
    after: cursor === undefined ? undefined : after,
    isCsv: format === 'csv',
  };
}

/** The UTC day of a time in milliseconds; empty for NaN. */
function dayOf(time: number): string {
  return Number.isNaN(time) ? '' : new Date(time).toISOString().slice(0, 10);
}
