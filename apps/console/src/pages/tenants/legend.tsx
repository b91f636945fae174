import { Badge, Group, Text, UnstyledButton } from '@mantine/core';
import { countsOf } from '../../parts/counts';
import { statusLooks } from '../../parts/status-badge';
import { type CellStatus, statusOf, type TenantRow } from './matrix-data';

const statuses = Object.keys(statusLooks) as CellStatus[];

/** What the signs of the matrix mean, and how many cells have each. A click on one filters by it, and another click shows all again. */
export function Legend({
  rows,
  providers,
  status,
  onChange,
}: {
  /** Those that the other filters leave. */
  rows: readonly TenantRow[];
  providers: readonly string[];
  status: CellStatus | '';
  onChange: (status: CellStatus | null) => void;
}) {
  const counts = countsOf(rows.flatMap((row) => providers.map((provider) => statusOf(row, provider))));
  if (counts.size === 0) return null;
  return (
    <Group gap={2} mb="xs" role="group" aria-label="Statuses">
      {statuses
        .filter((each) => counts.has(each) || each === status)
        .map((each) => {
          const { label, meaning } = statusLooks[each];
          return (
            <UnstyledButton
              key={each}
              className="legend"
              title={meaning}
              aria-pressed={each === status}
              onClick={() => onChange(each === status ? null : each)}
            >
              <Sign status={each} /> {counts.get(each) ?? 0} {label}
            </UnstyledButton>
          );
        })}
      <Text size="xs" ml={4}>
        + another one is staged
      </Text>
    </Group>
  );
}

/** How a status looks in a cell. */
export function Sign({ status }: { status: CellStatus }) {
  const { letter, color } = statusLooks[status];
  if (status === 'none') {
    return (
      <span className="matrix-none" aria-hidden>
        {letter}
      </span>
    );
  }
  return (
    <Badge component="span" color={color} variant="light" tt="none" size="sm" aria-hidden>
      {letter}
    </Badge>
  );
}
