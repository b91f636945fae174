import { Anchor, Badge, Paper, Table } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useRef } from 'react';
import { Link } from 'react-router';
import { statusLooks } from '../../parts/status-badge';
import { type Cell, type TenantRow } from './matrix-data';

const ROW_PX = 39;

/** Only the rows in view are in the document, so that 290 tenants cost what 30 do. */
export function MatrixTable({
  rows,
  providers,
}: {
  rows: readonly TenantRow[];
  providers: readonly string[];
}) {
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  const shown = virtual.getVirtualItems();
  const [first, last] = [shown[0], shown.at(-1)];
  return (
    <Paper
      withBorder
      className="matrix-frame"
      ref={frame}
      tabIndex={0}
      role="region"
      aria-label="Tenants and providers"
    >
      <Table className="matrix" stickyHeader aria-rowcount={rows.length + 1} highlightOnHover>
        <Table.Thead>
          <Table.Tr aria-rowindex={1}>
            <Table.Th className="matrix-tenant">Tenant</Table.Th>
            {providers.map((provider) => (
              <Table.Th key={provider} ta="center">
                {provider}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {first !== undefined && first.start > 0 && <Space px={first.start} />}
          {shown.map(({ key, index }) => (
            <Row key={key} row={rows[index]!} index={index} providers={providers} />
          ))}
          {last !== undefined && last.index < rows.length - 1 && (
            <Space px={virtual.getTotalSize() - last.end} />
          )}
        </Table.Tbody>
      </Table>
    </Paper>
  );
}

/** An empty row as high as all rows that are not in view. */
function Space({ px }: { px: number }) {
  return (
    <tr aria-hidden style={{ height: px }}>
      <td />
    </tr>
  );
}

const Row = memo(function Row({
  row,
  index,
  providers,
}: {
  row: TenantRow;
  index: number;
  providers: readonly string[];
}) {
  return (
    <Table.Tr aria-rowindex={index + 2} h={ROW_PX}>
      <Table.Th scope="row" className="matrix-tenant">
        <div className="matrix-names">
          <Anchor component={Link} to={`/tenants/${row.id}`} size="sm" title={row.displayName ?? undefined}>
            {row.name}
          </Anchor>
          {row.displayName !== null && <span className="matrix-display-name">{row.displayName}</span>}
          {row.state === 'suspended' && (
            <Badge size="xs" color="gray">
              suspended
            </Badge>
          )}
        </div>
      </Table.Th>
      {providers.map((provider) => (
        <MatrixCell key={provider} tenant={row} provider={provider} cell={row.cells.get(provider)} />
      ))}
    </Table.Tr>
  );
});

function MatrixCell({
  tenant,
  provider,
  cell,
}: {
  tenant: TenantRow;
  provider: string;
  cell: Cell | undefined;
}) {
  const { label, letter, color, meaning } = statusLooks[cell?.status ?? 'none'];
  if (cell === undefined) {
    return (
      <Table.Td ta="center">
        <span className="matrix-none" role="img" aria-label={label}>
          {letter}
        </span>
      </Table.Td>
    );
  }
  return (
    <Table.Td ta="center">
      <Badge
        component={Link}
        to={`/tenants/${tenant.id}?provider=${provider}`}
        color={color}
        variant="light"
        tt="none"
        className="matrix-cell"
        title={`${label} ${cell.mask ?? ''}. ${meaning}${cell.isStaged ? ' Another one is staged.' : ''}`}
        aria-label={`${tenant.name}, ${provider}: ${label}${cell.isStaged ? ', another one is staged' : ''}`}
      >
        {letter}
        {cell.isStaged && '+'}
      </Badge>
    </Table.Td>
  );
}
