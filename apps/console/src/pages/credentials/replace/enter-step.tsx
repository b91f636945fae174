import { Alert, Button, Grid, Paper, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { CredentialFacts } from '../credential-facts';
import { isUnusable, type Provider, type Slots } from '../credential-data';
import { RollbackCountdown } from '../rollback-countdown';
import { CredentialForm } from './credential-form';
import { refusalOf, type Stored, usePutCredential } from './put-credential';
import { Steps } from './steps';

/** The form, next to the credential that calls use meanwhile. */
export function EnterStep({
  tenantId,
  tenantName,
  provider,
  slots,
  isStaged,
  onStored,
  onCancel,
}: {
  tenantId: string;
  tenantName: string;
  provider: Provider;
  slots: Slots;
  /** False: nothing is live, so that the key can be live at once. */
  isStaged: boolean;
  onStored: (stored: Stored) => void;
  /** Undefined: there is nothing to go back to. */
  onCancel: (() => void) | undefined;
}) {
  const putting = usePutCredential(tenantId, provider, isStaged, onStored);
  const { live, staged, previous } = slots;
  const { isPending, error } = putting.put;
  const [begunWith] = useState({ live: live?.version, staged: staged?.version });
  const isRefused = !isPending && refusalOf(error) !== undefined;
  const hasChanged = !isPending && (live?.version !== begunWith.live || staged?.version !== begunWith.staged);
  const verb = provider.verifiable ? 'Verify and' : '';
  return (
    <>
      {isStaged && (
        <Steps
          provider={provider}
          current="Enter"
          state={isRefused ? 'failed' : 'current'}
          details={{
            Enter: isRefused ? 'refused, and not stored' : isPending ? 'is being verified' : undefined,
          }}
        />
      )}
      <Grid gap="xl">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack>
            <Text size="sm" role="status">
              {isPending
                ? `Asking ${provider.label} whether it accepts the key ...`
                : about(provider, tenantName, slots, isStaged)}
            </Text>
            {hasChanged && (
              <Alert color="yellow" title="This credential has been changed meanwhile">
                Now {live?.masked_key ?? 'none'} is live, and {staged?.masked_key ?? 'none'} is staged.
                {isStaged && staged !== null && ' Yours would replace the staged one.'}
              </Alert>
            )}
            <CredentialForm
              tenantId={tenantId}
              provider={provider}
              live={live ?? staged}
              putting={putting}
              submitLabel={`${verb} ${isStaged ? 'stage' : 'set live'}`
                .trim()
                .replace(/^./, (first) => first.toUpperCase())}
              cancel={
                onCancel && (
                  <Button variant="default" onClick={onCancel} disabled={isPending}>
                    Back to the staged key
                  </Button>
                )
              }
            />
          </Stack>
        </Grid.Col>
        {live !== null && (
          <Grid.Col span={{ base: 12, md: 5 }}>
            <Paper withBorder p="md" component="section" aria-labelledby="in-use">
              <Stack>
                <Title order={2} size="h5" id="in-use">
                  In use now
                </Title>
                <CredentialFacts credential={live} provider={provider} />
                {previous !== null && (
                  <div>
                    <RollbackCountdown until={previous.rollback_until} mask={previous.masked_key} />
                    <Text size="sm">The next promotion ends that.</Text>
                  </div>
                )}
              </Stack>
            </Paper>
          </Grid.Col>
        )}
      </Grid>
    </>
  );
}

function about({ label }: Provider, tenant: string, { live, staged }: Slots, isStaged: boolean): string {
  if (!isStaged)
    return `${tenant} has no live ${label} key. This one is live as soon as ${label} has accepted it.`;
  const kept =
    live === null || isUnusable(live)
      ? 'Nothing changes for calls until you promote the new key.'
      : `Calls go on using ${live.masked_key} until you promote the new key.`;
  return staged === null ? kept : `${kept} The new key replaces the staged one, ${staged.masked_key}.`;
}
