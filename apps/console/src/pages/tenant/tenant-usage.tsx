import { Card, Group, Select, Stack, Text, Title } from '@mantine/core';
import { Empty, Loaded } from '../../parts/loaded';
import { LostCalls } from '../../parts/notice';
import { useParameters } from '../../parts/parameters';
import { payerText } from '../../parts/payer';
import { UsagePlot } from '../../parts/plots';
import { dateOf } from '../../parts/times';
import { CsvLink } from '../../parts/usage/csv-link';
import { DayFields, ForDays } from '../../parts/usage/day-fields';
import { type Column, SumsTable } from '../../parts/usage/sums-table';
import { type Sums, useDays, useSeries } from '../../parts/usage/usage-data';
import { type Days, daysOf } from '../../parts/usage/utc-days';
import { useKeyNames } from './keys/key-names';

/** How many days are shown before others are chosen. */
const USUAL_DAYS = 30;
const PLOT_PX = 220;
/** So that nothing moves while the plot is loaded. */
const CARD_PX = PLOT_PX + 120;

interface Grouping {
  readonly label: string;
  readonly nameOf: (sums: Sums, keyName: (keyId: string | null) => string) => string;
}

/** By the value of `group_by`. */
const groupings: Readonly<Record<string, Grouping>> = {
  day: { label: 'Day', nameOf: ({ day }) => dateOf(day ?? '') },
  model: { label: 'Model', nameOf: ({ model = '' }) => model },
  provider: { label: 'Provider', nameOf: ({ provider = '' }) => provider },
  key: { label: 'Key', nameOf: ({ key_id: id = null }, keyName) => keyName(id) },
  'source,credential': {
    label: 'Whose key paid',
    nameOf: ({ provider, source = 'tenant', mask = '', version = null }) =>
      `${payerText({ source, mask, version })}, for ${provider}`,
  },
};

const columns: readonly Column[] = [
  { label: 'Calls', counter: 'calls' },
  { label: 'Failed', counter: 'failed' },
  { label: 'Unfinished', counter: 'unfinished' },
  { label: 'Unmetered', counter: 'unmetered' },
  { label: 'Input tokens', counter: 'input_tokens' },
  { label: 'of them cached', counter: 'cached_tokens' },
  { label: 'Output tokens', counter: 'output_tokens' },
];

/** What the tenant used, in sums, and as CSV. */
export function TenantUsage({ tenantId }: { tenantId: string }) {
  const [parameters, change] = useParameters();
  const asked = parameters.get('group') ?? '';
  const group = Object.hasOwn(groupings, asked) ? asked : 'day';
  const days = daysOf(parameters.get('since') ?? '', parameters.get('until') ?? '', USUAL_DAYS);
  return (
    <Stack>
      <Group align="end">
        <Select
          label="Sums by"
          data={Object.entries(groupings).map(([value, { label }]) => ({ value, label }))}
          value={group}
          onChange={(value) => change({ group: value })}
          allowDeselect={false}
          w={180}
        />
        <DayFields days={days} onChange={change} />
        <CsvLink days={days} groups={group} filter={{ tenant: tenantId }} />
      </Group>
      <ForDays days={days}>
        <Plot tenantId={tenantId} days={days} />
        <Report tenantId={tenantId} days={days} group={group} />
      </ForDays>
    </Stack>
  );
}

/** Calls by model. Without calls there is none, and the report says so. */
function Plot({ tenantId, days }: { tenantId: string; days: Days }) {
  const query = useSeries('model', 'day', days, { tenant: tenantId });
  if (query.data?.series.length === 0) return null;
  return (
    <Card withBorder mih={CARD_PX}>
      <Title order={2} size="sm" mb="xs">
        Calls by model
      </Title>
      <Loaded query={query}>
        {(series) => <UsagePlot report={series} quantity="calls" title="Calls by model" height={PLOT_PX} />}
      </Loaded>
    </Card>
  );
}

function Report({ tenantId, days, group }: { tenantId: string; days: Days; group: string }) {
  const { label, nameOf } = groupings[group]!;
  const keyName = useKeyNames(tenantId);
  const query = useDays(days, group, { tenant: tenantId });
  const time = `${dateOf(days.since)} to ${dateOf(days.until)}`;
  return (
    <Loaded query={query}>
      {({ items, lostCalls }) => (
        <>
          {lostCalls > 0 && <LostCalls count={lostCalls} when="in this time" />}
          {items.length === 0 ? (
            <Empty title="No calls">The tenant called no model from {time}.</Empty>
          ) : (
            <>
              <Text size="sm" c="dimmed">
                {time}, in days of UTC. Unmetered are calls for which the provider reported no tokens.
              </Text>
              <SumsTable
                head={label}
                columns={columns}
                rows={sorted(items).map((sums) => {
                  const name = nameOf(sums, keyName);
                  return { key: name, name, sums };
                })}
              />
            </>
          )}
        </>
      )}
    </Loaded>
  );
}

/** Days, newest first; of everything else what was used most. */
function sorted(items: readonly Sums[]): Sums[] {
  return [...items].sort((a, b) => (b.day ?? '').localeCompare(a.day ?? '') || b.calls - a.calls);
}
