import { Badge, Group, Text } from '@mantine/core';
import { type Schemas } from '../../api/client';

const looks: Readonly<Record<Schemas['UsageOutcome'], { label: string; color: string; meaning: string }>> = {
  completed: { label: 'completed', color: 'teal', meaning: 'The whole response was passed on.' },
  failed: { label: 'failed', color: 'red', meaning: 'There was no response.' },
  broken_off: { label: 'broken off', color: 'orange', meaning: 'The response broke off.' },
  client_left: {
    label: 'client left',
    color: 'gray',
    meaning: 'The client disconnected before the end of the response.',
  },
};

/** How a call ended, with the status that the client got and the code of the problem. */
export function OutcomeBadge({
  call: { outcome, status, code },
}: {
  call: Pick<Schemas['UsageRecordResponse'], 'outcome' | 'status' | 'code'>;
}) {
  const { label, color, meaning } = looks[outcome];
  return (
    <>
      <Group gap={6} wrap="nowrap">
        <Badge color={color} variant="light" tt="none" title={meaning}>
          {label}
        </Badge>
        <Text size="sm" span>
          {status}
        </Text>
      </Group>
      {code !== null && <Text size="xs">{code}</Text>}
    </>
  );
}
