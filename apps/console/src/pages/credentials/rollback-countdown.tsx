import { Text } from '@mantine/core';
import { useInterval } from '@mantine/hooks';
import { useState } from 'react';
import { useRefresh } from '../../api/session';
import { timeOf } from '../../parts/times';
import { isRefused, isUnusable, type StoredCredential } from './credential-data';

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

/** Whether and how one could go back to the credential that is live before a promotion. @param hours undefined: not known yet */
export function rollbackAfterPromotion(
  live: StoredCredential,
  provider: string,
  hours: number | undefined,
): string {
  const { masked_key: mask } = live;
  if (hours === undefined || isUnusable(live)) return '';
  if (hours === 0) return `${mask} is then deleted, so you cannot roll back to it.`;
  const [count, unit] = hours % 24 === 0 ? [hours / 24, 'day'] : [hours, 'hour'];
  const time = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return [
    `You can then roll back to ${mask} for ${time}, with a button on the page of the tenant.`,
    isRefused(live) && `However, ${provider} rejects ${mask}, so calls would fail again.`,
  ]
    .filter(Boolean)
    .join(' ');
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
