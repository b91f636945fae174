import { Alert, Button, Group, Progress, Stack, Table, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useRefresh } from '../../api/session';
import { Copyable } from '../../parts/keys/copyable';
import { ProblemAlert } from '../../parts/problem-alert';
import { type ChainResult, verifyChain } from './chain-verification';

const number = new Intl.NumberFormat('en');

/**
 * Verifies the chain part by part, and shows how far that is and what was found.
 * @param events how many there are
 * @param actions other buttons next to the one that starts it
 */
export function VerifyChain({ events, actions }: { events: number; actions: ReactNode }) {
  const refresh = useRefresh();
  const [soFar, setSoFar] = useState<ChainResult>();
  const stopper = useRef<AbortController>(undefined);
  const verification = useMutation({
    mutationFn: async () => {
      const { signal } = (stopper.current = new AbortController());
      setSoFar(undefined);
      await verifyChain(setSoFar, signal);
    },
    // The state of the chain says how its last verification ended.
    onSettled: refresh,
  });
  useEffect(() => () => stopper.current?.abort(), []);
  const { isPending } = verification;
  return (
    <Stack gap="sm">
      <Group>
        <Button variant="default" loading={isPending} onClick={() => verification.mutate()}>
          Verify the chain
        </Button>
        {isPending && (
          <Button variant="subtle" onClick={() => stopper.current?.abort()}>
            Stop
          </Button>
        )}
        {actions}
      </Group>
      {isPending && (
        <Progress
          value={events === 0 ? 100 : Math.min(100, ((soFar?.verified ?? 0) / events) * 100)}
          animated
          aria-label="Verified events"
        />
      )}
      <div role="status">
        {isPending && (
          <Text size="sm">
            {number.format(soFar?.verified ?? 0)} of {number.format(events)} verified.
          </Text>
        )}
        {!isPending && soFar !== undefined && <Result result={soFar} />}
      </div>
      {verification.error !== null && <ProblemAlert error={verification.error} />}
    </Stack>
  );
}

function Result({ result }: { result: ChainResult }) {
  const { verified, findings, plain, head, isComplete } = result;
  if (findings.length > 0) return <Findings result={result} />;
  if (!isComplete) {
    return (
      <Alert color="gray" title="Stopped">
        The first {number.format(verified)} events are intact. The others were not verified.
      </Alert>
    );
  }
  return (
    <Alert color="teal" title={`All ${number.format(verified)} events are intact`}>
      <Stack gap="xs">
        <Text size="sm">
          None was edited, moved or removed. Keep this head outside the database: with it,{' '}
          <code>npx tenkey audit verify --head</code> shows later whether the newest events were removed.
        </Text>
        <Copyable text={head} name="the head" />
        {plain !== null && plain > 0 && (
          <Text size="sm">
            {number.format(plain)} of them were made without an encryption key. Write access to the database
            is enough to make such an event.
          </Text>
        )}
      </Stack>
    </Alert>
  );
}

function Findings({ result: { verified, findings, more, isComplete } }: { result: ChainResult }) {
  return (
    <Alert color="red" title="The chain is not intact">
      <Stack gap="xs">
        <Text size="sm">
          {number.format(verified)} events were verified
          {isComplete ? '' : ', and then the verification was stopped'}. Somebody changed the events below in
          the database, or a key that signed them is not loaded. Keep a backup of the database as evidence
          before you change anything.
        </Text>
        <Table aria-label="Findings" verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={140}>Events</Table.Th>
              <Table.Th>What is wrong</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {findings.map(({ first, last, events, fault }) => (
              <Table.Tr key={`${first} ${fault}`}>
                <Table.Td>
                  {first === last ? first : `${first} to ${last}`}
                  {events > 1 && ` (${number.format(events)})`}
                </Table.Td>
                <Table.Td>{fault}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        {more > 0 && (
          <Text size="sm">
            There are {number.format(more)} more. <code>npx tenkey audit verify</code> lists all.
          </Text>
        )}
      </Stack>
    </Alert>
  );
}
