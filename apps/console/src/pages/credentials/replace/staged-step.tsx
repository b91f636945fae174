import { Button, Grid, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode } from 'react';
import { ProblemAlert } from '../../../parts/problem-alert';
import { statusLooks } from '../../../parts/status-badge';
import {
  isRefused,
  isUnusable,
  type Provider,
  type Slots,
  type StoredCredential,
  useRollbackHours,
} from '../credential-data';
import { CredentialFacts } from '../credential-facts';
import { OutcomeAlert } from '../outcomes';
import { rollbackAfterPromotion, RollbackCountdown } from '../rollback-countdown';
import { DiscardButton } from '../slot-buttons';
import { type Change, type Changing } from '../slot-changes';
import { Heading, Steps, type StepsProps } from './steps';

/** A key is staged: it can be verified, promoted, or replaced by another one. A sysadmin who returns to the page continues here. */
export function StagedStep({
  tenantName,
  provider,
  slots,
  staged,
  changing,
  onEnter,
}: {
  tenantName: string;
  provider: Provider;
  slots: Slots;
  staged: StoredCredential;
  changing: Changing;
  onEnter: () => void;
}) {
  const { live, previous } = slots;
  const verdict = verdictOf(staged);
  const rollbackHours = useRollbackHours();
  const { variables, error, isPending } = changing;
  return (
    <>
      <Steps provider={provider} {...stepOf(staged, provider)} />
      <Stack mb="lg">
        <Heading>{titleOf(staged, provider)}</Heading>
        <Text size="sm">{effectOf(staged, tenantName, provider, slots, rollbackHours)}</Text>
        <Verdict staged={staged} provider={provider} />
        {error !== null && !isPending && variables?.kind !== 'discard' && <ProblemAlert error={error} />}
        <Group gap="xs">
          {(verdict === 'accepted' || (verdict === 'open' && !provider.verifiable)) && (
            <Act change={promotionOf(staged)} label="Promote" variant="filled" changing={changing} />
          )}
          {(verdict === 'refused' || verdict === 'unusable') && (
            <Button onClick={onEnter} disabled={isPending}>
              Enter another key
            </Button>
          )}
          {verdict !== 'unusable' && provider.verifiable && (
            <Act
              change={{ kind: 'verify', slot: 'staged' }}
              label={staged.verification === null ? 'Verify' : 'Verify again'}
              variant={verdict === 'open' ? 'filled' : 'default'}
              changing={changing}
            />
          )}
          {(verdict === 'open' || verdict === 'accepted') && (
            <Button variant="default" onClick={onEnter} disabled={isPending}>
              Enter another key
            </Button>
          )}
          {verdict === 'open' && provider.verifiable && (
            <Act change={promotionOf(staged)} label="Promote anyway" variant="subtle" changing={changing} />
          )}
          <DiscardButton slots={slots} name={provider.label} changing={changing} />
        </Group>
      </Stack>
      <Grid>
        <Column title="Staged">
          <CredentialFacts credential={staged} provider={provider} slot="staged" />
        </Column>
        {live !== null && (
          <Column title="In use now">
            <CredentialFacts credential={live} provider={provider} />
            {previous !== null && (
              <>
                <RollbackCountdown until={previous.rollback_until} mask={previous.masked_key} />
                <Text size="sm">The promotion ends that and deletes {previous.masked_key}.</Text>
              </>
            )}
          </Column>
        )}
      </Grid>
    </>
  );
}

function Act({
  change,
  label,
  variant,
  changing: { variables, isPending, mutate },
}: {
  change: Change;
  label: string;
  variant: 'filled' | 'default' | 'subtle';
  changing: Changing;
}) {
  const isOwn = variables?.kind === change.kind;
  return (
    <Button
      variant={variant}
      loading={isPending && isOwn}
      disabled={isPending && !isOwn}
      onClick={() => mutate(change)}
    >
      {label}
    </Button>
  );
}

function Column({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Grid.Col span={{ base: 12, sm: 6 }}>
      <Paper withBorder p="md" h="100%" component="section" aria-label={title}>
        <Stack gap="sm">
          <Title order={3} size="h5">
            {title}
          </Title>
          {children}
        </Stack>
      </Paper>
    </Grid.Col>
  );
}

/** What the last verification means for the promotion, if it did not succeed. */
function Verdict({ staged, provider: { label } }: { staged: StoredCredential; provider: Provider }) {
  const verdict = verdictOf(staged);
  if (verdict === 'refused') {
    return (
      <OutcomeAlert outcome={refusedOutcomeOf(staged)} provider={label}>
        Tenkey does not promote a key that the provider has refused.
      </OutcomeAlert>
    );
  }
  if (verdict !== 'open' || staged.verification === null) return null;
  return (
    <OutcomeAlert outcome={staged.verification.outcome} provider={label}>
      You can promote {staged.masked_key} nevertheless. If {label} then refuses the key, calls fail until you
      roll back.
    </OutcomeAlert>
  );
}

type VerdictName = 'accepted' | 'open' | 'refused' | 'unusable';

function verdictOf(staged: StoredCredential): VerdictName {
  if (isUnusable(staged)) return 'unusable';
  if (isRefused(staged)) return 'refused';
  return staged.verification?.outcome === 'accepted' ? 'accepted' : 'open';
}

/** Calls can have been refused since the verification. */
function refusedOutcomeOf({ verification }: StoredCredential) {
  return verification === null || verification.outcome === 'accepted' ? 'rejected' : verification.outcome;
}

function promotionOf({ version }: StoredCredential): Change {
  return { kind: 'promote', version };
}

function titleOf(staged: StoredCredential, { label }: Provider): string {
  const { masked_key: mask, status, verification } = staged;
  switch (verdictOf(staged)) {
    case 'accepted':
      return `${label} accepts ${mask}: you can promote it`;
    case 'open':
      return verification === null
        ? `${mask} is staged, and not verified yet`
        : `${mask} is staged, and not accepted`;
    case 'refused':
      return `${label} refuses ${mask}`;
    case 'unusable':
      return `${mask} cannot be promoted: ${statusLooks[status].meaning}`;
  }
}

function effectOf(
  staged: StoredCredential,
  tenant: string,
  { label }: Provider,
  { live }: Slots,
  rollbackHours: number | undefined,
): string {
  const { masked_key: mask } = staged;
  if (live === null)
    return `${tenant} has no live ${label} key. Calls use ${mask} as soon as you promote it.`;
  if (isUnusable(live)) return `Calls of ${tenant} to ${label} fail until you promote ${mask}.`;
  const { masked_key: old } = live;
  return [
    `Nothing has changed for ${tenant} yet: calls use ${old}.`,
    `As soon as you promote ${mask}, every new call uses it. Calls that have already been sent finish with ${old}.`,
    rollbackAfterPromotion(live, label, rollbackHours),
  ].join(' ');
}

/** The step at which it is. */
function stepOf(
  staged: StoredCredential,
  { verifiable }: Provider,
): Pick<StepsProps, 'current' | 'state' | 'details'> {
  const { masked_key: mask, status, verification } = staged;
  const at = (current: StepsProps['current'], state?: StepsProps['state'], detail?: string) => ({
    current,
    state,
    details: { Enter: mask, Verify: verification?.outcome, ...(current && { [current]: detail }) },
  });
  switch (verdictOf(staged)) {
    case 'unusable':
      return at('Stage', 'failed', status);
    case 'refused':
      return at('Verify', 'failed', refusedOutcomeOf(staged));
    case 'accepted':
      return at('Promote');
    case 'open':
      if (!verifiable) return at('Promote');
      return verification === null
        ? at('Verify', 'current', 'not yet')
        : at('Verify', 'doubtful', verification.outcome);
  }
}
