import { Alert, Anchor, Button, Group, Paper, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { ProblemAlert } from '../../../parts/problem-alert';
import { timeOf } from '../../../parts/times';
import { type Provider, type Slots, type StoredCredential } from '../credential-data';
import { CredentialFacts } from '../credential-facts';
import { OutcomeAlert } from '../outcomes';
import { RollbackCountdown } from '../rollback-countdown';
import { RollbackButton } from '../slot-buttons';
import { type Changing } from '../slot-changes';
import { Heading, Steps } from './steps';

/** What has just become live. It is kept with the entry of the history, so that it is still there after the page is loaded again. */
export interface BecameLive {
  readonly how: 'promoted' | 'added';
  readonly version: string;
  /** When the response said that it is in force in every process. */
  readonly since: string;
  readonly processes?: number;
  readonly message: string;
}

/** The new key is live: since when, and how long one can go back. */
export function LiveStep({
  tenantId,
  tenantName,
  provider,
  slots,
  live,
  became,
  changing,
}: {
  tenantId: string;
  tenantName: string;
  provider: Provider;
  slots: Slots;
  live: StoredCredential;
  became: BecameLive;
  changing: Changing;
}) {
  const { masked_key: mask, verification } = live;
  const { previous } = slots;
  const { variables, error, isPending } = changing;
  const isVerifying = isPending && variables?.kind === 'verify';
  return (
    <>
      {became.how === 'promoted' && (
        <Steps
          provider={provider}
          current={undefined}
          details={{ Enter: mask, Verify: verification?.outcome ?? 'not verified', Promote: 'live' }}
          isVerified={verification?.outcome === 'accepted'}
        />
      )}
      <Stack maw={720}>
        <Heading>
          {mask} is live for {tenantName}
        </Heading>
        <Text size="sm">
          Since {timeOf(became.since)}, every new call of {tenantName} to {provider.label} uses it
          {inEvery(became.processes)}.
        </Text>
        {verification !== null && verification.outcome !== 'accepted' && (
          <OutcomeAlert outcome={verification.outcome} provider={provider.label}>
            Calls may fail. Verify the key again, {previous === null ? 'or replace it.' : 'or roll back.'}
          </OutcomeAlert>
        )}
        {previous !== null ? (
          <Paper withBorder p="md">
            <Stack gap="sm" align="flex-start">
              <RollbackCountdown until={previous.rollback_until} mask={previous.masked_key} />
              <RollbackButton slots={slots} name={provider.label} changing={changing} />
            </Stack>
          </Paper>
        ) : (
          <Alert color="gray">{became.message}</Alert>
        )}
        {error !== null && !isPending && variables?.kind === 'verify' && <ProblemAlert error={error} />}
        <Group gap="xs">
          <Button component={Link} to="/">
            Today
          </Button>
          <Button component={Link} to={`/tenants/${tenantId}?provider=${provider.id}`} variant="default">
            {tenantName}
          </Button>
          {provider.verifiable && (
            <Button
              variant="default"
              loading={isVerifying}
              disabled={isPending && !isVerifying}
              onClick={() => changing.mutate({ kind: 'verify', slot: 'live' })}
            >
              Verify again
            </Button>
          )}
          {became.how === 'added' && (
            <Anchor component={Link} to={`/tenants/${tenantId}/add`} size="sm">
              Add another credential
            </Anchor>
          )}
        </Group>
        <Paper withBorder p="md">
          <CredentialFacts credential={live} provider={provider} />
        </Paper>
      </Stack>
    </>
  );
}

function inEvery(processes: number | undefined): string {
  if (processes === undefined) return ', in every process';
  return processes === 1 ? ', in the one process of Tenkey' : `, in all ${processes} processes of Tenkey`;
}
