import { Button } from '@mantine/core';
import { reportQuery, type UsageFilter } from './usage-data';
import { type Days, faultOf } from './utc-days';

/** The rows of a report as a file; nothing for days that the page does not show. */
export function CsvLink({
  days,
  groups,
  filter,
  note,
}: {
  days: Days;
  groups: string;
  filter: UsageFilter;
  /** Which days they are, if that is not what the page shows. */
  note?: string;
}) {
  if (faultOf(days) !== undefined) return null;
  const query = Object.entries({ ...reportQuery(days, groups, filter), format: 'csv' });
  const given = query.filter((each): each is [string, string] => each[1] !== undefined);
  return (
    <Button
      component="a"
      href={`api/v1/sysadmin/usage?${new URLSearchParams(given)}`}
      download
      variant="default"
      title={`Whole days, in UTC${note === undefined ? '' : `: ${note}`}`}
    >
      CSV
    </Button>
  );
}
