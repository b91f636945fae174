import { Anchor, Card, Group, SimpleGrid, Stack, Title } from '@mantine/core';
import { type ReactNode } from 'react';
import { Link } from 'react-router';
import { Loaded } from '../../parts/loaded';
import { LostCalls } from '../../parts/notice';
import { LatencyPlot, UsagePlot } from '../../parts/plots';
import { quantities } from '../../parts/plots/plot-data';
import { useLastDay } from './failing-providers';

const PLOT_PX = 180;
/** So that small plots stay readable. */
const MAXIMUM_LAYERS = 5;

/** Calls, failures and durations of the last 24 hours by provider. Show it to keys with usage:read. */
export function LastDay() {
  const query = useLastDay();
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
