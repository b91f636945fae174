import { Alert, Button, Card, Group as Row, Select, Table, Text, TextInput, Title } from '@mantine/core';
import { api, type Schemas } from '../../api/client';
import { Empty, Loaded } from '../../parts/loaded';
import { useParameters } from '../../parts/parameters';
import { payerText } from '../../parts/payer';
import { UsagePlot } from '../../parts/plots';
import { dateOf } from '../../parts/times';
import { endOf, isDay } from '../usage/range';
import { useKeyNames } from './keys/key-names';

type Sums = Schemas['UsageSumsResponse'];

const path = '/api/v1/sysadmin/tenants/{tenant_id}/usage';

const PLOT_PX = 220;
/** So that nothing moves while the plot is loaded. */
const CARD_PX = PLOT_PX + 120;

interface Period {
  readonly since?: string;
  readonly until?: string;
}

interface Group {
  readonly label: string;
  readonly nameOf: (sums: Sums, keyName: (keyId: string | null) => string) => string;
}

/** By the value of `group_by`. */
const groups: Readonly<Record<string, Group>> = {
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
const number = new Intl.NumberFormat();

/** What the tenant used, in sums, and as CSV. */
export function TenantUsage({ tenantId }: { tenantId: string }) {
  const [parameters, change] = useParameters();
  const asked = parameters.get('group') ?? '';
  const group = asked in groups ? asked : 'day';
  const period = Object.fromEntries(
    ['since', 'until'].flatMap((name) => {
      const day = parameters.get(name) ?? '';
      return isDay(day) ? [[name, day]] : [];
    }),
  ) as Period;
  const query = api.useQuery('get', path, {
    params: { path: { tenant_id: tenantId }, query: { group_by: group, ...period } },
  });
  const set = (name: string, value: string | null) => change({ [name]: value });
  const csv = new URLSearchParams({ group_by: group, ...period, format: 'csv' });
  return (
    <>
      <Row align="end" mb="md">
        <Select
          label="Sums by"
          data={Object.entries(groups).map(([value, { label }]) => ({ value, label }))}
          value={group}
          onChange={(value) => set('group', value)}
          allowDeselect={false}
          w={180}
        />
        {(['since', 'until'] as const).map((name) => (
          <TextInput
            key={name}
            type="date"
            label={name === 'since' ? 'First day' : 'Last day'}
            value={period[name] ?? ''}
            onChange={(event) => set(name, event.currentTarget.value)}
          />
        ))}
        <Button
          component="a"
          href={`${path.slice(1).replace('{tenant_id}', tenantId)}?${csv.toString()}`}
          download
          variant="default"
        >
          CSV
        </Button>
      </Row>
      <Plot tenantId={tenantId} period={period} />
      <Loaded query={query}>
        {(report) =>
          typeof report === 'string' ? null : (
            <Report report={report} group={groups[group]!} tenantId={tenantId} />
          )
        }
      </Loaded>
    </>
  );
}

/** Calls by model. Without calls there is none, and the report says so. */
function Plot({ tenantId, period: { since, until } }: { tenantId: string; period: Period }) {
  const query = api.useQuery('get', '/api/v1/sysadmin/usage/series', {
    params: {
      query: {
        by: 'model',
        interval: 'day',
        tenant_id: tenantId,
        since,
        until: until === undefined ? undefined : endOf(until),
      },
    },
  });
  if (query.data?.series.length === 0) return null;
  return (
    <Card withBorder mih={CARD_PX} mb="md">
      <Title order={2} size="sm" mb="xs">
        Calls by model
      </Title>
      <Loaded query={query}>
        {(series) => <UsagePlot report={series} quantity="calls" title="Calls by model" height={PLOT_PX} />}
      </Loaded>
    </Card>
  );
}

function Report({
  report,
  group,
  tenantId,
}: {
  report: Schemas['UsageReportResponse'];
  group: Group;
  tenantId: string;
}) {
  const keyName = useKeyNames(tenantId);
  const { since, until, total, lost_calls: lost } = report;
  if (total.calls === 0 && lost === 0) {
    return (
      <Empty title="No calls">
        The tenant called no model from {dateOf(since)} to {dateOf(until)}.
      </Empty>
    );
  }
  return (
    <>
      {lost > 0 && (
        <Alert color="red" mb="md" title={`${number.format(lost)} calls are missing from the sums`}>
          They could not be recorded because the database was unavailable.
        </Alert>
      )}
      <Text size="sm" c="dimmed" mb="xs">
        {dateOf(since)} to {dateOf(until)}, in days of UTC. Unmetered are calls for which the provider
        reported no tokens.
      </Text>
      <Table.ScrollContainer minWidth={760} type="native" tabIndex={0} role="region" aria-label="Sums">
        <Table verticalSpacing="xs" highlightOnHover aria-label="Usage">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{group.label}</Table.Th>
              {columns.map(([label]) => (
                <Table.Th key={label} ta="right">
                  {label}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sorted(report.items).map((sums) => {
              const name = group.nameOf(sums, keyName);
              return (
                <Table.Tr key={name}>
                  <Table.Th scope="row" fw={400}>
                    {name}
                  </Table.Th>
                  <Numbers sums={sums} />
                </Table.Tr>
              );
            })}
          </Table.Tbody>
          <Table.Tfoot>
            <Table.Tr>
              <Table.Th scope="row">Together</Table.Th>
              <Numbers sums={total} />
            </Table.Tr>
          </Table.Tfoot>
        </Table>
      </Table.ScrollContainer>
      {report.next_cursor !== null && (
        <Text size="sm" mt="xs">
          These are the first {number.format(report.count)} rows. The CSV has all of them.
        </Text>
      )}
    </>
  );
}

const columns: readonly (readonly [string, (sums: Sums) => number])[] = [
  ['Calls', ({ calls }) => calls],
  ['Failed', ({ failed }) => failed],
  ['Unfinished', ({ unfinished }) => unfinished],
  ['Unmetered', ({ unmetered }) => unmetered],
  ['Input tokens', ({ input_tokens: tokens }) => tokens],
  ['of them cached', ({ cached_tokens: tokens }) => tokens],
  ['Output tokens', ({ output_tokens: tokens }) => tokens],
];

function Numbers({ sums }: { sums: Sums }) {
  return columns.map(([label, valueOf]) => {
    const value = valueOf(sums);
    return (
      <Table.Td key={label} ta="right" c={value === 0 ? 'dimmed' : undefined}>
        {number.format(value)}
      </Table.Td>
    );
  });
}

/** Days, newest first; of everything else what was used most. */
function sorted(items: readonly Sums[]): Sums[] {
  return [...items].sort((a, b) => (b.day ?? '').localeCompare(a.day ?? '') || b.calls - a.calls);
}
