import { Alert, Button, Text } from '@mantine/core';
import { ProblemAlert } from '../../parts/problem-alert';
import { ConfirmButton } from './confirm-button';
import { isRefused, type Slots, type StoredCredential, useRollbackHours } from './credential-data';
import { OutcomeAlert } from './outcomes';
import { rollbackAfterPromotion } from './rollback-countdown';
import { type Changing } from './slot-changes';

export function VerifyButton({
  slot,
  changing,
}: {
  slot: 'live' | 'staged' | 'previous';
  changing: Changing;
}) {
  const { variables, isPending } = changing;
  const isOwn = variables?.kind === 'verify' && variables.slot === slot;
  return (
    <Button
      size="xs"
      variant="default"
      loading={isPending && isOwn}
      disabled={isPending && !isOwn}
      onClick={() => changing.mutate({ kind: 'verify', slot })}
    >
      Verify
    </Button>
  );
}

/** What the provider said about the key of a slot, below its button. */
export function Verified({ slot, changing, name }: { slot: string; changing: Changing; name: string }) {
  const { variables, data, error, isPending } = changing;
  if (variables?.kind !== 'verify' || variables.slot !== slot || isPending) return null;
  if (error !== null) return <ProblemAlert error={error} />;
  if (data?.outcome === undefined) return null;
  return (
    <OutcomeAlert outcome={data.outcome} provider={name}>
      {data.message}
    </OutcomeAlert>
  );
}

/** What a step has done. A dialog shows why its own step failed. */
export function Result({ changing: { variables, data, isPending } }: { changing: Changing }) {
  if (data === undefined || isPending) return null;
  // The list says that a credential was deleted: this card may be gone with it.
  if (variables?.kind === 'verify' || variables?.kind === 'delete') return null;
  return (
    <Alert color="teal" role="status">
      {data.message}
    </Alert>
  );
}

interface StepButton {
  readonly slots: Slots;
  readonly name: string;
  readonly changing: Changing;
}

export function PromoteButton({
  slots: { live, previous },
  staged,
  name,
  changing,
}: StepButton & { staged: StoredCredential }) {
  const { masked_key: mask, version, verification } = staged;
  const rollbackHours = useRollbackHours();
  if (isRefused(staged)) return null;
  return (
    <ConfirmButton
      label="Promote"
      title={`Promote the staged ${name} key`}
      change={{ kind: 'promote', version }}
      changing={changing}
      variant={verification?.outcome === 'accepted' ? 'filled' : 'default'}
      size="xs"
    >
      <Text size="sm">
        Every new call uses {mask}.{' '}
        {live !== null &&
          `Calls that have already been sent finish with ${live.masked_key}. ${rollbackAfterPromotion(live, name, rollbackHours)}`}
      </Text>
      {verification?.outcome !== 'accepted' && (
        <Alert color="yellow">
          {verification === null
            ? `The key was never verified, so nobody knows whether ${name} accepts it.`
            : `${name} has not accepted the key: the outcome of the last verification was ${verification.outcome}.`}
        </Alert>
      )}
      {previous !== null && (
        <Text size="sm">You can then no longer roll back to {previous.masked_key}, which is deleted.</Text>
      )}
    </ConfirmButton>
  );
}

export function RollbackButton({ slots: { live, staged, previous }, name, changing }: StepButton) {
  if (previous === null) return null;
  return (
    <ConfirmButton
      label="Roll back"
      title={`Roll back to ${previous.masked_key}`}
      change={{ kind: 'rollback' }}
      changing={changing}
      variant="light"
      size="xs"
    >
      <Text size="sm">
        Every new call to {name} uses {previous.masked_key} again.{' '}
        {live !== null &&
          staged === null &&
          `${live.masked_key} is staged, so that you can promote it again.`}
      </Text>
      {live !== null && staged !== null && (
        <Alert color="yellow">
          {live.masked_key} is deleted, because {staged.masked_key} is staged already.
        </Alert>
      )}
      {isRefused(previous) && (
        <Alert color="yellow">
          {name} refused {previous.masked_key} when it was last used.
        </Alert>
      )}
    </ConfirmButton>
  );
}

/** Deletes the staged credential. */
export function DiscardButton({
  slots: { live, staged },
  name,
  changing,
  size,
}: StepButton & { size?: 'xs' }) {
  if (staged === null) return null;
  return (
    <ConfirmButton
      label="Discard"
      title={`Discard the staged ${name} key`}
      change={{ kind: 'discard', slot: 'staged' }}
      changing={changing}
      color="red"
      variant="subtle"
      size={size}
    >
      <Text size="sm">
        {staged.masked_key} is deleted. {live !== null && `Calls go on using ${live.masked_key}.`}
      </Text>
    </ConfirmButton>
  );
}

export function DeleteButton({ slots, name, changing }: StepButton) {
  const { provider, live, staged, previous } = slots;
  const masks = [live, staged, previous].flatMap((each) => each?.masked_key ?? []);
  return (
    <ConfirmButton
      label="Delete"
      title={`Delete the ${name} credential`}
      change={{ kind: 'delete' }}
      changing={changing}
      typedName={provider}
      color="red"
      variant="subtle"
      size="xs"
    >
      <Text size="sm">
        This deletes {masks.join(', ')} and cannot be undone.{' '}
        {live !== null &&
          `Calls of this tenant to ${name} then fail, because no other key is used in its place.`}
      </Text>
    </ConfirmButton>
  );
}
