import { Card, Stack, Text, Title } from '@mantine/core';
import { type InfiniteData, type UseInfiniteQueryResult } from '@tanstack/react-query';
import { type Schemas } from '../../api/client';
import { AuditEvents } from '../../parts/audit/audit-events';
import { type AuditEvent } from '../../parts/audit/audit-words';
import { LoadMore } from '../../parts/load-more';
import { Empty, Loaded } from '../../parts/loaded';

export type AuditPages = UseInfiniteQueryResult<InfiniteData<Schemas['AuditEventPageResponse']>, unknown>;

/** The events under the days on which they were recorded, newest first. */
export function Timeline({
  query,
  isFiltered,
  tenantNames,
}: {
  query: AuditPages;
  isFiltered: boolean;
  tenantNames: ReadonlyMap<string, string>;
}) {
  return (
    <Loaded query={query}>
      {({ pages }) => {
        const events = pages.flatMap(({ items }) => items);
        if (events.length === 0) return <Nothing isFiltered={isFiltered} />;
        return (
          <>
            <Stack gap="lg">
              {daysOf(events).map(([day, ofDay]) => (
                <section key={day} aria-label={day}>
                  <Title order={2} size="h5" mb="xs">
                    {day}
                  </Title>
                  <AuditEvents events={ofDay} tenantNames={tenantNames} />
                </section>
              ))}
            </Stack>
            <LoadMore query={query} label="Show older events" />
            {!query.hasNextPage && (
              <Text size="sm" c="dimmed" ta="center" p="md">
                {isFiltered ? 'No older event matches.' : 'These are all events.'}
              </Text>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  return (
    <Card withBorder>
      {isFiltered ? (
        <Empty title="No event matches">Nothing was recorded that fits all filters.</Empty>
      ) : (
        <Empty title="Nothing was recorded yet">
          Every change over the sysadmin API or the command line appears here, and every attempt that was
          refused.
        </Empty>
      )}
    </Card>
  );
}

const dayName = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full' });

/** Events of one day stay together only while they are next to each other: the order is that of the chain. */
function daysOf(events: readonly AuditEvent[]): [string, AuditEvent[]][] {
  const days: [string, AuditEvent[]][] = [];
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  const names = new Map([
    [dayName.format(today), 'Today'],
    [dayName.format(yesterday), 'Yesterday'],
  ]);
  for (const event of events) {
    const date = dayName.format(new Date(event.at));
    const day = names.get(date) ?? date;
    const last = days.at(-1);
    if (last?.[0] === day) last[1].push(event);
    else days.push([day, [event]]);
  }
  return days;
}
