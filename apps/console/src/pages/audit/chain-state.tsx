import { Alert, Button, Card, Collapse, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type ReactNode, useId } from 'react';
import { api, type Schemas } from '../../api/client';
import { Copyable } from '../../parts/keys/copyable';
import { Loaded } from '../../parts/loaded';
import { Moment } from '../../parts/times';
import { VerifyChain } from './verify-chain';

type Chain = Schemas['AuditChainResponse'];

const number = new Intl.NumberFormat('en');

/** What the database has of the chain, and its verification. */
export function ChainState() {
  const query = api.useQuery('get', '/api/v1/sysadmin/audit-events/chain');
  const [isOpen, { toggle }] = useDisclosure();
  const id = useId();
  return (
    <Card withBorder mb="md" component="section" aria-labelledby="chain-title">
      <Title order={2} size="h4" mb={4} id="chain-title">
        Is the audit complete and unchanged?
      </Title>
      <Loaded query={query}>
        {(chain) => (
          <Stack gap="sm">
            <Text size="sm" component="p" m={0}>
              <Summary chain={chain} />
            </Text>
            <Text size="sm" c="dimmed">
              Each event has a hash of itself and of the one before. Verifying them finds every event that was
              changed, removed or inserted in the database.
            </Text>
            {chain.audit_chain === 'hash' && (
              <Alert color="yellow" title="The chain has plain hashes">
                Tenkey runs without ENCRYPTION_KEY. Someone who can write to the database can replace events
                and compute their hashes again. With a key, the hashes are keyed, and only its owner can.
              </Alert>
            )}
            <VerifyChain
              events={chain.events}
              actions={
                <Button variant="subtle" onClick={toggle} aria-expanded={isOpen} aria-controls={id}>
                  Details
                </Button>
              }
            />
            <div id={id}>
              <Collapse expanded={isOpen}>{isOpen && <Facts chain={chain} />}</Collapse>
            </div>
          </Stack>
        )}
      </Loaded>
    </Card>
  );
}

function Summary({ chain: { events, retention_days: days, last_verification: last } }: { chain: Chain }) {
  const kept =
    days === null
      ? 'kept without limit'
      : days === 1
        ? 'kept for one day'
        : `kept for ${number.format(days)} days`;
  return (
    <>
      {events === 1 ? 'One event' : `${number.format(events)} events`}, {kept}.{' '}
      {last === null ? (
        'Nobody has verified them since this process was started.'
      ) : (
        <>
          Last verified <Moment time={last.ended_at} />: <Last last={last} />.
        </>
      )}
    </>
  );
}

function Last({ last }: { last: NonNullable<Chain['last_verification']> }) {
  const { verified, intact, findings, complete } = last;
  const result = intact
    ? `${number.format(verified)} events were intact`
    : `${number.format(findings)} ${findings === 1 ? 'finding' : 'findings'} in ${number.format(verified)} events`;
  return complete ? result : `${result}, but it did not reach the last event`;
}

function Facts({ chain: { first, last, head, checkpoint, expired, audit_chain: hashes } }: { chain: Chain }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" component="dl" m={0}>
      <Fact name="Hashes">
        {hashes === 'hmac'
          ? 'Keyed: HMAC with a key that is derived from ENCRYPTION_KEY.'
          : 'Plain, without a key.'}
      </Fact>
      {first !== null && last !== null && (
        <Fact name="First and last event">
          {first.seq}, <Moment time={first.at} />, to {last.seq}, <Moment time={last.at} />
        </Fact>
      )}
      <Fact name="Newest signed checkpoint">
        {checkpoint === null ? (
          'None, because no event was deleted.'
        ) : (
          <>
            Event {checkpoint.seq}, <Moment time={checkpoint.at} />: events up to {checkpoint.through} were
            deleted, {number.format(expired)} in all.
          </>
        )}
      </Fact>
      {head !== null && (
        <Fact name="Head, to keep outside the database">
          <Copyable text={head} name="the head" />
        </Fact>
      )}
    </SimpleGrid>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed" component="dt">
        {name}
      </Text>
      <Group component="dd" m={0} gap={0}>
        <Text size="sm" component="div">
          {children}
        </Text>
      </Group>
    </div>
  );
}
