import { Card, List, Text, Title } from '@mantine/core';
import { hintsOf, type SysadminKey } from './key-facts';
import { labelOf } from './scope-words';

/** What is worth a look among the keys; nothing if there is nothing. */
export function KeyHintsCard({ keys }: { keys: readonly SysadminKey[] }) {
  const { unused, unlimited, expiring, expired, missing } = hintsOf(keys);
  const hints = [
    expiring.length > 0 &&
      `Expires within two weeks: ${namesOf(expiring)}. Give it a later expiry if its work goes on.`,
    unused.length > 0 &&
      `Not used for 90 days: ${namesOf(unused)}. Revoke what nobody needs; an unused key is one that can leak unnoticed.`,
    unlimited.length > 0 &&
      `Without an expiry: ${namesOf(unlimited)}. Set an expiry for each key that a person holds.`,
    expired.length > 0 &&
      `Expired: ${namesOf(expired)}. They open nothing. Revoke them, or give them a new expiry.`,
    missing.length > 0 &&
      keys.length > 0 &&
      `Left to the super key, because no sysadmin key may do it for all tenants: ${missing.map(labelOf).join(', ')}.`,
  ].filter((hint) => hint !== false);
  if (hints.length === 0) return null;
  return (
    <Card withBorder component="section" aria-labelledby="hints-title">
      <Title order={2} size="h4" mb="xs" id="hints-title">
        Worth a look
      </Title>
      <List size="sm" spacing={4}>
        {hints.map((hint) => (
          <List.Item key={hint}>
            <Text size="sm">{hint}</Text>
          </List.Item>
        ))}
      </List>
    </Card>
  );
}

function namesOf(keys: readonly SysadminKey[]): string {
  const names = keys.slice(0, 5).map(({ name }) => `“${name}”`);
  return keys.length > 5 ? `${names.join(', ')} and ${keys.length - 5} more` : names.join(', ');
}
