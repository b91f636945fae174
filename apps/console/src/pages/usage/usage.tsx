import { Anchor, Card, Grid, Stack, Text, Title } from '@mantine/core';
import { Link, useSearchParams } from 'react-router';
import { useSession } from '../../api/session';
import { Empty, Loaded } from '../../parts/loaded';
import { LostCalls } from '../../parts/notice';
import { compact, whole } from '../../parts/numbers';
import { PageHead } from '../../parts/page-head';
import { changed } from '../../parts/parameters';
import { UsagePlot } from '../../parts/plots';
import { quantities } from '../../parts/plots/plot-data';
import { CsvLink } from '../../parts/usage/csv-link';
import { ForDays } from '../../parts/usage/day-fields';
import { type Column, type Row, sumOf, SumsTable } from '../../parts/usage/sums-table';
import { useDays, useSeries } from '../../parts/usage/usage-data';
import { Filters } from './filters';
import { rowsOfDays, rowsOfSeries, sorted } from './rows';
import { drillDown, groups, useView, type View } from './view';

const PLOT_PX = 340;
/** So that nothing moves while the plot is loaded. */
const CARD_PX = PLOT_PX + 100;

/** Tokens are too many to be read in full, and their cells have them as a title. */
const columns: readonly Column[] = [
  { label: 'Calls', counter: 'calls' },
  { label: 'Failed', counter: 'failed' },
  { label: 'Tokens in', counter: 'input_tokens', format: compact },
  { label: 'Tokens out', counter: 'output_tokens', format: compact },
];

/** Who called what, how often, and what it cost in tokens. */
export default function Usage() {
  const [view, change] = useView();
  const { range, by } = view;
  return (
    <>
      <PageHead
        title="Usage"
        description="How much each tenant, model or provider was used. Tokens are as the providers reported them."
        actions={
          <CsvLink
            days={range.days}
            groups={by}
            filter={view}
            note={range.name === '24h' ? 'yesterday and today' : undefined}
          />
        }
      />
      <Filters view={view} change={change} />
      <ForDays days={range.days}>
        <Figures view={view} />
      </ForDays>
    </>
  );
}

function Figures({ view }: { view: View }) {
  const { range, by, quantity } = view;
  const isLastDay = range.name === '24h';
  const series = useSeries(by, range.interval, isLastDay ? undefined : range.days, view);
  const days = useDays(range.days, by, view, { enabled: !isLastDay });
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <Card withBorder mih={CARD_PX}>
          <Title order={2} size="h5" mb="xs">
            {quantities[quantity]} {range.interval === 'hour' ? 'in each hour' : 'on each day'}
          </Title>
          <Loaded query={series}>
            {(report) => (
              <UsagePlot
                report={report}
                quantity={quantity}
                title={`${quantities[quantity]} by ${groups[by].toLowerCase()}`}
                height={PLOT_PX}
              />
            )}
          </Loaded>
        </Card>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 7 }}>
        {isLastDay ? (
          <Loaded query={series}>
            {(report) => <Sums view={view} rows={rowsOfSeries(report)} lostCalls={report.lost_calls} />}
          </Loaded>
        ) : (
          <Loaded query={days}>
            {({ items, lostCalls }) => (
              <Sums view={view} rows={rowsOfDays(items, by)} lostCalls={lostCalls} />
            )}
          </Loaded>
        )}
      </Grid.Col>
    </Grid>
  );
}

function Sums({ view, rows, lostCalls }: { view: View; rows: readonly Row[]; lostCalls: number }) {
  const session = useSession();
  const unmetered = sumOf(rows, 'unmetered');
  return (
    <Stack gap="sm">
      {lostCalls > 0 && (
        <LostCalls
          count={lostCalls}
          when={view.range.name === '24h' ? 'yesterday or today' : 'in this time'}
        />
      )}
      <Card withBorder p={0}>
        {rows.length === 0 ? (
          <Empty title="No calls">
            No call with these filters started in this time. Choose a longer time, or remove a filter.
          </Empty>
        ) : (
          <SumsTable
            head={groups[view.by]}
            columns={columns}
            rows={sorted(rows, view)}
            sharedBy={view.quantity}
            nameOf={(row) => <RowName row={row} view={view} />}
          />
        )}
      </Card>
      {unmetered > 0 && (
        <Text size="sm">
          {unmetered === 1 ? '1 call is' : `${whole(unmetered)} calls are`} unmetered: the provider reported
          no tokens. They count as calls, and their tokens are in no sum.
        </Text>
      )}
      {view.tenant !== undefined && session.can('tenants:read') && (
        <Anchor component={Link} to={`/tenants/${view.tenant}`} size="sm">
          Open the tenant
        </Anchor>
      )}
    </Stack>
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
