import { Text } from '@mantine/core';
import { useInterval } from '@mantine/hooks';
import { useState } from 'react';
import { useRefresh } from '../../api/session';
import { timeOf } from '../../parts/times';

/** How long a rollback is still possible, to the second. */
export function RollbackCountdown({ until, mask }: { until: string; mask: string }) {
  const refresh = useRefresh();
  const [now, setNow] = useState(Date.now);
  const end = Date.parse(until);
  useInterval(
    () => {
      const next = Date.now();
      setNow(next);
      // Tenkey deletes it then.
      if (now < end && next >= end) void refresh();
    },
    1000,
    { autoInvoke: true },
  );
  if (now >= end) {
    return (
      <Text size="sm">
        The time to roll back to {mask} ended at {timeOf(until)}.
      </Text>
    );
  }
  return (
    <Text size="sm">
      You can roll back to {mask} for{' '}
      <Text span inherit fw={700} role="timer" ff="monospace" style={{ whiteSpace: 'nowrap' }}>
        {remaining(end - now)}
      </Text>
      , until {timeOf(until)}.
    </Text>
  );
}

/** Such as "2 days 23:59:12". */
function remaining(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  if (days === 0) return clock;
  return `${days} ${days === 1 ? 'day' : 'days'} ${clock}`;
}
