import { Box, Button, Progress, Table, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { percent, whole } from '../numbers';
import { type Sums } from './usage-data';

/** How many rows are in the document before someone asks for all. */
const FIRST_ROWS = 25;
const noWrap = { whiteSpace: 'nowrap' } as const;

type Counter = { [Name in keyof Sums]-?: Sums[Name] extends number ? Name : never }[keyof Sums];

export interface Row {
  /** Null: it is the sum of several. */
  readonly key: string | null;
  readonly name: string;
  /** Those of hours are not complete. */
  readonly sums: Partial<Pick<Sums, Counter>>;
}

export interface Column {
  readonly label: string;
  readonly counter: Counter;
  /** Absent: in full. */
  readonly format?: (value: number) => string;
}

/** Sums and their sum. @param nameOf shows the name of a row, by default as it is */
export function SumsTable({
  head,
  columns,
  rows,
  sharedBy,
  nameOf = ({ name }) => name,
}: {
  /** What the rows are. */
  head: string;
  columns: readonly Column[];
  rows: readonly Row[];
  /** Adds the share of each row in the whole of this counter, by which the rows are sorted. */
  sharedBy?: Counter;
  nameOf?: (row: Row) => ReactNode;
}) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? rows : rows.slice(0, FIRST_ROWS);
  const shared = sharedBy === undefined ? 0 : sumOf(rows, sharedBy);
  const greatest = sharedBy === undefined ? 0 : Math.max(...rows.map(({ sums }) => sums[sharedBy] ?? 0));
  return (
    <>
      <Table.ScrollContainer
        minWidth={120 + 110 * columns.length}
        type="native"
        tabIndex={0}
        role="region"
        aria-label={`Sums by ${head.toLowerCase()}`}
      >
        <Table verticalSpacing={6} highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th miw={120}>{head}</Table.Th>
              {sharedBy !== undefined && <Table.Th miw={80}>Share</Table.Th>}
              {columns.map(({ label, counter }) => (
                <Table.Th
                  key={label}
                  ta="right"
                  style={noWrap}
                  aria-sort={counter === sharedBy ? 'descending' : undefined}
                >
                  {label}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((row) => (
              <Table.Tr key={row.key ?? row.name}>
                <Table.Th scope="row" fw={400}>
                  {nameOf(row)}
                </Table.Th>
                {sharedBy !== undefined && (
                  <Table.Td>
                    <Share value={row.sums[sharedBy] ?? 0} all={shared} greatest={greatest} />
                  </Table.Td>
                )}
                <Numbers columns={columns} valueOf={(counter) => row.sums[counter] ?? 0} />
              </Table.Tr>
            ))}
          </Table.Tbody>
          <Table.Tfoot>
            <Table.Tr fw={700}>
              <Table.Th scope="row">Sum</Table.Th>
              {sharedBy !== undefined && <Table.Td />}
              <Numbers columns={columns} valueOf={(counter) => sumOf(rows, counter)} />
            </Table.Tr>
          </Table.Tfoot>
        </Table>
      </Table.ScrollContainer>
      {rows.length > shown.length && (
        <Box ta="center" p="xs">
          <Button variant="subtle" size="compact-sm" onClick={() => setWhole(true)}>
            Show all {whole(rows.length)}
          </Button>
        </Box>
      )}
    </>
  );
}

/** The sum of all rows; what one does not have counts nothing. */
export function sumOf(rows: readonly Row[], counter: Counter): number {
  return rows.reduce((sum, { sums }) => sum + (sums[counter] ?? 0), 0);
}

function Numbers({
  columns,
  valueOf,
}: {
  columns: readonly Column[];
  valueOf: (counter: Counter) => number;
}) {
  return columns.map(({ label, counter, format = whole }) => {
    const value = valueOf(counter);
    return (
      <Table.Td
        key={label}
        ta="right"
        style={noWrap}
        title={whole(value)}
        c={value === 0 ? 'dimmed' : undefined}
      >
        {format(value)}
      </Table.Td>
    );
  });
}

/** In figures the share of the whole. The bar compares the rows, of which the greatest one fills it. */
function Share({ value, all, greatest }: { value: number; all: number; greatest: number }) {
  return (
    <>
      <Text size="xs">{percent(value / (all || 1))}</Text>
      <Progress value={(value / (greatest || 1)) * 100} size="xs" aria-hidden />
    </>
  );
}
