import { Button } from '@mantine/core';
import { reportQuery, type UsageFilter } from './usage-data';
import { type Days } from './utc-days';

/** The rows of a report as a file. */
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
