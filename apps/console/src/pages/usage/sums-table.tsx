import { Anchor, Box, Button, Progress, Table, Text } from '@mantine/core';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { compact, percent, whole } from '../../parts/numbers';
import { changed } from '../../parts/parameters';
import { type Row, sumsOf } from './usage-data';
import { drillDown, groups, type View } from './view';

/** How many rows are in the document before someone asks for all. */
const FIRST_ROWS = 25;

const numbers = ['calls', 'failed', 'input_tokens', 'output_tokens'] as const;
const heads = {
  calls: 'Calls',
  failed: 'Failed',
  input_tokens: 'Tokens in',
  output_tokens: 'Tokens out',
} as const;
const noWrap = { whiteSpace: 'nowrap' } as const;

/** The sums of each tenant, model or provider, the largest first. */
export function SumsTable({ rows, view }: { rows: readonly Row[]; view: View }) {
  const [isWhole, setWhole] = useState(false);
  const { by, quantity } = view;
  const total = sumsOf(rows);
  const sorted = [...rows].sort(
    (a, b) =>
      Number(a.key === null) - Number(b.key === null) || b[quantity] - a[quantity] || b.calls - a.calls,
  );
  const shown = isWhole ? sorted : sorted.slice(0, FIRST_ROWS);
  return (
    <>
      <Table.ScrollContainer
        minWidth={560}
        type="native"
        tabIndex={0}
        role="region"
        aria-label={`Sums by ${groups[by].toLowerCase()}`}
      >
        <Table verticalSpacing={6} highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th miw={120}>{groups[by]}</Table.Th>
              <Table.Th miw={80}>Share</Table.Th>
              {numbers.map((name) => (
                <Table.Th
                  key={name}
                  ta="right"
                  style={noWrap}
                  aria-sort={name === quantity ? 'descending' : undefined}
                >
                  {heads[name]}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((row) => (
              <Table.Tr key={row.key ?? row.name}>
                <Table.Th scope="row" fw={400}>
                  <RowName row={row} view={view} />
                </Table.Th>
                <Table.Td>
                  <Share part={total[quantity] === 0 ? 0 : row[quantity] / total[quantity]} />
                </Table.Td>
                {numbers.map((name) => (
                  <Table.Td key={name} ta="right" style={noWrap} title={whole(row[name])}>
                    {format(name, row[name])}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
          <Table.Tfoot>
            <Table.Tr>
              <Table.Th scope="row">Sum</Table.Th>
              <Table.Td />
              {numbers.map((name) => (
                <Table.Th key={name} ta="right" style={noWrap} title={whole(total[name])}>
                  {format(name, total[name])}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Tfoot>
        </Table>
      </Table.ScrollContainer>
      {sorted.length > shown.length && (
        <Box ta="center" p="xs">
          <Button variant="subtle" size="compact-sm" onClick={() => setWhole(true)}>
            Show all {whole(sorted.length)}
          </Button>
        </Box>
      )}
    </>
  );
}

function RowName({ row, view }: { row: Row; view: View }) {
  const [parameters] = useSearchParams();
  const change = row.key === null ? undefined : drillDown(view, row.key);
  if (change === undefined) return <Text size="sm">{row.name}</Text>;
  const inside = groups[change.by as keyof typeof groups].toLowerCase();
  return (
    <Anchor
      component={Link}
      to={{ search: changed(parameters, change).toString() }}
      size="sm"
      title={`Show ${row.name} by ${inside}`}
    >
      {row.name}
    </Anchor>
  );
}

function Share({ part }: { part: number }) {
  return (
    <>
      <Text size="xs">{percent(part)}</Text>
      <Progress value={part * 100} size="xs" aria-hidden />
    </>
  );
}

/** Tokens are too many to be read in full, and their cells have them as a title. */
function format(name: (typeof numbers)[number], value: number): string {
  return name === 'calls' || name === 'failed' ? whole(value) : compact(value);
}
