import { Anchor, Text } from '@mantine/core';
import { Link } from 'react-router';
import { api } from '../../api/client';
import { Notice } from '../../parts/notice';
import { percent, whole } from '../../parts/numbers';
import { nameOf, type Report, sumOf } from '../../parts/plots/plot-data';
import { timeTextsOf } from '../../parts/plots/plot-times';

/** Fewer calls say nothing about a provider. */
const MINIMUM_CALLS = 20;
/** A provider fails when more of its calls do. */
const FAILING_PART = 0.2;

/** Calls of the last 24 hours by provider. */
export function useLastDay() {
  return api.useQuery(
    'get',
    '/api/v1/sysadmin/usage/series',
    { params: { query: { by: 'provider', interval: 'hour', top: 20 } } },
    { refetchInterval: 60_000 },
  );
}

/** Names the providers that fail now, since when, and who is affected. Show it to keys with usage:read. */
export function FailingProviders() {
  const { data: report } = useLastDay();
  if (report === undefined) return null;
  const texts = timeTextsOf(report);
  return failuresOf(report).map(({ provider, calls, failed, since }) => (
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
  /** The beginning of the first hour of the failure. */
  readonly since: string;
}

/** The providers of whose calls in this hour more than a fifth failed, with all hours before it in which they did. */
function failuresOf({ times, series }: Report): Failure[] {
  return series
    .filter((one) => !one.is_rest)
    .flatMap((one) => {
      const failsIn = (hours: number) => {
        const [calls, failed] = [sumOf(one.calls.slice(-hours)), sumOf(one.failed.slice(-hours))];
        return { calls, failed, isFailing: failed > calls * FAILING_PART };
      };
      // Early in an hour, the one before counts too.
      let hours = (one.calls.at(-1) ?? 0) >= MINIMUM_CALLS ? 1 : 2;
      const now = failsIn(hours);
      if (now.calls < MINIMUM_CALLS || !now.isFailing) return [];
      while ((one.failed.at(-hours - 1) ?? 0) > (one.calls.at(-hours - 1) ?? 0) * FAILING_PART) hours += 1;
      while (hours > 1 && one.failed.at(-hours) === 0) hours -= 1;
      const { calls, failed } = failsIn(hours);
      return [{ provider: nameOf(one), calls, failed, since: times.at(-hours)! }];
    });
}
