import { Alert, Group, List, Stack, Text, ThemeIcon } from '@mantine/core';
import { type ReactNode } from 'react';
import { api } from '../../api/client';
import { useRefresh } from '../../api/session';
import { Confirm } from '../../parts/forms/confirm';
import { type Encryption, rowsOf } from './findings';

/** Says what a rotation does and what must hold for it, before it is started or continued. */
export function StartRotation({
  encryption,
  due,
  isOpen,
  isPaused,
  onClose,
}: {
  encryption: Encryption;
  due: number;
  isOpen: boolean;
  isPaused: boolean;
  onClose: () => void;
}) {
  const refresh = useRefresh();
  const start = api.useMutation('post', '/api/v1/sysadmin/encryption/rotation', {
    onSuccess: () => {
      onClose();
      void refresh();
    },
  });
  const close = () => {
    start.reset();
    onClose();
  };
  const sealing = encryption.keys.find(({ seals }) => seals);
  return (
    <Confirm
      title={isPaused ? 'Continue the rotation' : 'Start a rotation'}
      action={isPaused ? 'Continue the rotation' : 'Start the rotation'}
      isReady={sealing !== undefined}
      isOpen={isOpen}
      request={start}
      onSubmit={() => start.mutate({})}
      onClose={close}
    >
      <List size="sm" spacing="xs">
        <List.Item>
          <strong>Calls notice nothing.</strong> They go on with the same provider keys. Only how a key is
          stored changes, not the key.
        </List.Item>
        <List.Item>
          <strong>Changes go on too.</strong> A credential that is set meanwhile keeps what was set, and
          versions stay the same.
        </List.Item>
        <List.Item>
          <strong>You can pause it at any time.</strong> What is sealed again stays so, and the rest keeps its
          old key. It continues where it stopped, also after a restart.
        </List.Item>
        <List.Item>
          <strong>Nothing is deleted.</strong> A row that cannot be sealed again stays as it is, and is named.
        </List.Item>
      </List>
      <Conditions encryption={encryption} />
      <Text size="sm">
        {due === 0
          ? 'Nothing is to be sealed again at the moment, so it ends at once.'
          : `About ${due} ${due === 1 ? 'row is' : 'rows are'} sealed again, in batches of 100. Keep the old key loaded until it has finished.`}
      </Text>
    </Confirm>
  );
}

/** Tenkey refuses a rotation for which they do not hold, so they are shown here and not enforced. */
export function Conditions({ encryption: { keys, processes } }: { encryption: Encryption }) {
  const sealing = keys.find(({ seals }) => seals);
  const waiting = keys.filter(
    (key) =>
      !key.seals && !key.retired && rowsOf(key) === 0 && key.processes > 0 && key.processes < processes,
  );
  const lost = keys.filter((key) => rowsOf(key) > 0 && key.processes === 0);
  const partly = keys.filter((key) => rowsOf(key) > 0 && key.processes > 0 && key.processes < processes);
  const isNewEverywhere = sealing !== undefined && sealing.processes === processes && waiting.length === 0;
  const areOldEverywhere = lost.length === 0 && partly.length === 0;
  return (
    <Alert
      color="gray"
      title={
        isNewEverywhere && areOldEverywhere
          ? 'The conditions of a rotation are met'
          : 'A condition of a rotation is not met'
      }
    >
      <Stack gap={6}>
        <Condition holds={isNewEverywhere}>
          {isNewEverywhere ? 'Every' : 'Not every'} process has the new key:{' '}
          {sealing === undefined
            ? 'no key seals yet'
            : `${sealing.processes} of ${processes} have ${sealing.key_id}, under which everything will be sealed`}
          {waiting.map(({ key_id: id, processes: have }) => `; ${have} of ${processes} have ${id}`).join('')}.
        </Condition>
        <Condition holds={areOldEverywhere}>
          {areOldEverywhere ? 'Every' : 'Not every'} process has the keys under which something is sealed
          {[...lost, ...partly].map(
            ({ key_id: id, processes: have }) => `: ${have} of ${processes} have ${id}`,
          )}
          .{lost.length > 0 && ' What is sealed under a key that no process has cannot be sealed again.'}
        </Condition>
      </Stack>
    </Alert>
  );
}

function Condition({ holds, children }: { holds: boolean; children: ReactNode }) {
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <ThemeIcon
        size="sm"
        radius="xl"
        color={holds ? 'teal' : 'red'}
        aria-label={holds ? 'Holds' : 'Does not hold'}
        role="img"
      >
        {holds ? '✓' : '✗'}
      </ThemeIcon>
      <Text size="sm">{children}</Text>
    </Group>
  );
}
