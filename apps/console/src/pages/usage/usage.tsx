import { Anchor, Button, Card, Grid, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { useSession } from '../../api/session';
import { Empty, Loaded } from '../../parts/loaded';
import { LostCalls } from '../../parts/notice';
import { whole } from '../../parts/numbers';
import { PageHead } from '../../parts/page-head';
import { UsagePlot } from '../../parts/plots';
import { quantities } from '../../parts/plots/plot-data';
import { Filters } from './filters';
import { SumsTable } from './sums-table';
import { daysOf, type Row, rowsOfDays, rowsOfSeries, sumsOf, useDays, useSeries } from './usage-data';
import { groups, useView, type View } from './view';

const PLOT_PX = 340;
/** So that nothing moves while the plot is loaded. */
const CARD_PX = PLOT_PX + 100;

/** Who called what, how often, and what it cost in tokens. */
export default function Usage() {
  const [view, change] = useView();
  const series = useSeries(view);
  const days = useDays(view.range, view.by, view, {
    enabled: view.range.days !== undefined,
  });
  return (
    <>
      <PageHead
        title="Usage"
        description="Who called which models, and what the providers counted."
        actions={<CsvLink view={view} />}
      />
      <Filters view={view} change={change} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <Card withBorder mih={CARD_PX}>
            <Loaded query={series}>
              {(report) => (
                <UsagePlot
                  report={report}
                  quantity={view.quantity}
                  title={`${quantities[view.quantity]} by ${groups[view.by].toLowerCase()}`}
                  height={PLOT_PX}
                />
              )}
            </Loaded>
          </Card>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 7 }}>
          {view.range.days === undefined ? (
            <Loaded query={series}>
              {(report) => <Sums view={view} rows={rowsOfSeries(report)} lostCalls={report.lost_calls} />}
            </Loaded>
          ) : (
            <Loaded query={days}>
              {({ items, lostCalls }) => (
                <Sums view={view} rows={rowsOfDays(items, view.by)} lostCalls={lostCalls} />
              )}
            </Loaded>
          )}
        </Grid.Col>
      </Grid>
    </>
  );
}

function Sums({ view, rows, lostCalls }: { view: View; rows: readonly Row[]; lostCalls: number }) {
  const session = useSession();
  const { unmetered } = sumsOf(rows);
  return (
    <Stack gap="sm">
      {lostCalls > 0 && (
        <LostCalls
          count={lostCalls}
          when={view.range.days === undefined ? 'yesterday or today' : 'in this time'}
        />
      )}
      <Card withBorder p={0}>
        {rows.length === 0 ? (
          <Empty title="No calls">
            No call with these filters started in this time. Choose a longer time, or remove a filter.
          </Empty>
        ) : (
          <SumsTable rows={rows} view={view} />
        )}
      </Card>
      {unmetered !== null && unmetered > 0 && (
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

/** The rows of the table as a file. */
function CsvLink({ view }: { view: View }) {
  const { range, by, tenant, provider, model } = view;
  const query = new URLSearchParams({ ...daysOf(range), group_by: by, format: 'csv' });
  for (const [name, value] of Object.entries({ tenant_id: tenant, provider, model })) {
    if (value !== undefined) query.set(name, value);
  }
  return (
    <Button
      component="a"
      href={`api/v1/sysadmin/usage?${query.toString()}`}
      download
      variant="default"
      title={range.days === undefined ? 'Whole days, in UTC: yesterday and today' : 'Whole days, in UTC'}
    >
      CSV
    </Button>
  );
}
