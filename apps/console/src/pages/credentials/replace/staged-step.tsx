import { Button, Grid, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode } from 'react';
import { ProblemAlert } from '../../../parts/problem-alert';
import { statusLooks } from '../../../parts/status-badge';
import { ConfirmButton } from '../confirm-button';
import { isRefused, isUnusable, type Provider, type Slots, type StoredCredential } from '../credential-data';
import { CredentialFacts } from '../credential-facts';
import { OutcomeAlert } from '../outcomes';
import { RollbackCountdown } from '../rollback-countdown';
import { type Change, type Changing } from '../slot-changes';
import { Heading, type Step, Steps } from './steps';

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
  const { variables, error, isPending } = changing;
  return (
    <>
      <Steps steps={stepsOf(staged)} />
      <Stack mb="lg">
        <Heading>{titleOf(staged, provider)}</Heading>
        <Text size="sm">{effectOf(staged, tenantName, provider, slots)}</Text>
        <Verdict staged={staged} provider={provider} />
        {error !== null && !isPending && variables?.kind !== 'discard' && <ProblemAlert error={error} />}
        <Group gap="xs">
          {verdict === 'accepted' && (
            <Act change={promotionOf(staged)} label="Promote" isMain changing={changing} />
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
              isMain={verdict === 'open'}
              changing={changing}
            />
          )}
          {verdict === 'open' && (
            <Act
              change={promotionOf(staged)}
              label="Promote anyway"
              isMain={!provider.verifiable}
              changing={changing}
            />
          )}
          {(verdict === 'open' || verdict === 'accepted') && (
            <Button variant="default" onClick={onEnter} disabled={isPending}>
              Enter another key
            </Button>
          )}
          <ConfirmButton
            label="Discard"
            title={`Discard the staged ${provider.label} key`}
            change={{ kind: 'discard', slot: 'staged' }}
            changing={changing}
            variant="subtle"
            color="red"
          >
            <Text size="sm">
              {staged.masked_key}, version {staged.version}, is deleted.{' '}
              {live !== null && `Calls go on using ${live.masked_key}.`}
            </Text>
          </ConfirmButton>
        </Group>
      </Stack>
      <Grid>
        <Column title="Staged">
          <CredentialFacts credential={staged} slot="staged" />
        </Column>
        {live !== null && (
          <Column title="In use now">
            <CredentialFacts credential={live} />
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
  isMain,
  changing: { variables, isPending, mutate },
}: {
  change: Change;
  label: string;
  isMain: boolean;
  changing: Changing;
}) {
  const isOwn = variables?.kind === change.kind;
  return (
    <Button
      variant={isMain ? 'filled' : 'default'}
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

function effectOf(staged: StoredCredential, tenant: string, { label }: Provider, { live }: Slots): string {
  const { masked_key: mask } = staged;
  if (live === null)
    return `${tenant} has no live ${label} key. Calls use ${mask} as soon as you promote it.`;
  const now = isUnusable(live) ? '' : `: calls use ${live.masked_key}`;
  return `Nothing has changed for ${tenant} yet${now}. When you promote ${mask}, calls that start from then on use it, and those that have been sent finish with their key. You can then roll back.`;
}

function stepsOf(staged: StoredCredential): Step[] {
  const { masked_key: mask, version, status, verification } = staged;
  const verdict = verdictOf(staged);
  const verify: Readonly<Record<VerdictName, Pick<Step, 'state' | 'detail'>>> = {
    accepted: { state: 'done', detail: 'accepted' },
    open:
      verification === null
        ? { state: 'current', detail: 'not yet' }
        : { state: 'doubtful', detail: verification.outcome },
    refused: { state: 'failed', detail: refusedOutcomeOf(staged) },
    unusable: { state: 'failed', detail: status },
  };
  return [
    { label: 'Enter', state: 'done', detail: mask },
    { label: 'Verify', ...verify[verdict] },
    { label: 'Stage', state: 'done', detail: `version ${version}` },
    { label: 'Promote', state: verdict === 'accepted' ? 'current' : 'ahead' },
  ];
}
