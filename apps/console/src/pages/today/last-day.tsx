import { Anchor, Card, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { type ReactNode } from 'react';
import { Link } from 'react-router';
import { api } from '../../api/client';
import { Loaded } from '../../parts/loaded';
import { LostCalls, Notice } from '../../parts/notice';
import { percent, whole } from '../../parts/numbers';
import { LatencyPlot, UsagePlot } from '../../parts/plots';
import { nameOf, quantities, type Report, sumOf } from '../../parts/plots/plot-data';
import { timeTextsOf } from '../../parts/plots/plot-times';

/** Fewer calls say nothing about a provider. */
const MINIMUM_CALLS = 20;
/** A provider fails when more of its calls do. */
const FAILING_PART = 0.2;
const PLOT_PX = 180;
/** So that small plots stay readable. */
const MAXIMUM_LAYERS = 5;

/** Calls, failures and durations of the last 24 hours by provider. Show it to keys with usage:read. */
export function LastDay() {
  const query = api.useQuery(
    'get',
    '/api/v1/sysadmin/usage/series',
    { params: { query: { by: 'provider', interval: 'hour', top: 20 } } },
    { refetchInterval: 60_000 },
  );
  return (
    <Card withBorder component="section" aria-labelledby="last-day">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4" id="last-day">
          The last 24 hours
        </Title>
        <Anchor component={Link} to="/usage?range=24h&by=provider" size="sm">
          Usage
        </Anchor>
      </Group>
      <Loaded query={query}>
        {(report) => (
          <Stack>
            <Failing report={report} />
            {report.lost_calls > 0 && <LostCalls count={report.lost_calls} when="yesterday or today" />}
            <SimpleGrid cols={{ base: 1, md: 3 }} spacing="lg">
              {(['calls', 'failed'] as const).map((quantity) => (
                <Plot key={quantity} title={quantities[quantity]}>
                  {(shown) => (
                    <UsagePlot report={report} quantity={quantity} maximum={MAXIMUM_LAYERS} {...shown} />
                  )}
                </Plot>
              ))}
              <Plot title="Duration of completed calls">
                {(shown) => <LatencyPlot report={report} {...shown} />}
              </Plot>
            </SimpleGrid>
          </Stack>
        )}
      </Loaded>
    </Card>
  );
}

/** A plot below its heading. */
function Plot({
  title,
  children,
}: {
  title: string;
  children: (shown: { title: string; height: number }) => ReactNode;
}) {
  return (
    <div>
      <Title order={3} size="sm" mb="xs">
        {title}
      </Title>
      {children({ title: `${title} by provider`, height: PLOT_PX })}
    </div>
  );
}

/** Names the providers that fail now. */
function Failing({ report }: { report: Report }) {
  const texts = timeTextsOf(report);
  return failingProviders(report).map(({ provider, calls, failed, since }) => (
    <Notice key={provider} color="red" title={`Calls to ${provider} fail`}>
      <Text size="sm">
        Since {texts.tick(since)}, {whole(failed)} of {whole(calls)} calls ({percent(failed / calls)}) got no
        response.{' '}
        <Anchor
          component={Link}
          to={`/usage?range=24h&by=tenant&what=failed&provider=${provider}`}
          underline="always"
          size="sm"
        >
          Show whose calls fail
        </Anchor>
      </Text>
    </Notice>
  ));
}

interface Failure {
  readonly provider: string;
  readonly calls: number;
  readonly failed: number;
  /** The beginning of the hour from which on calls were counted. */
  readonly since: string;
}

/** The providers of whose calls in this hour more than a fifth failed. Early in an hour, the one before counts too. */
export function failingProviders({ times, series }: Report): Failure[] {
  return series
    .filter((one) => !one.is_rest)
    .flatMap((one) => {
      const isEnough = (one.calls.at(-1) ?? 0) >= MINIMUM_CALLS;
      const hours = isEnough ? 1 : 2;
      const [calls, failed] = [sumOf(one.calls.slice(-hours)), sumOf(one.failed.slice(-hours))];
      if (calls < MINIMUM_CALLS || failed <= calls * FAILING_PART) return [];
      return [{ provider: nameOf(one), calls, failed, since: times.at(-hours) ?? times[0]! }];
    });
}
