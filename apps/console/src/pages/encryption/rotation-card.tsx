import { Alert, Button, Card, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { api, type Schemas } from '../../api/client';
import { useRefresh } from '../../api/session';
import { ProblemAlert } from '../../parts/problem-alert';
import { Moment } from '../../parts/times';
import { type Encryption, type EncryptionKey, rowsOf } from './findings';
import { RotationFaults } from './rotation-faults';
import { Conditions, StartRotation } from './start-rotation';

type Rotation = Schemas['RotationResponse'];

const number = new Intl.NumberFormat('en');
/** A batch takes far less. */
const STUCK_MS = 60_000;

/** How far the rotation is, and the buttons to start, pause and continue it. */
export function RotationCard({ encryption, canRotate }: { encryption: Encryption; canRotate: boolean }) {
  const { rotation } = encryption;
  const refresh = useRefresh();
  const [isAsking, { open, close }] = useDisclosure();
  const pause = api.useMutation('post', '/api/v1/sysadmin/encryption/rotation/pause', { onSettled: refresh });
  const failure: unknown = pause.error;
  const isRunning = rotation?.state === 'running';
  const isPaused = rotation?.state === 'paused';
  const due = dueRows(encryption);
  // What no process can read stays as it is.
  const lost = sumOfRows(encryption.keys.filter(({ processes }) => processes === 0));
  return (
    <Card withBorder component="section" aria-labelledby="rotation-title">
      <Title order={2} size="h4" mb="xs" id="rotation-title">
        Rotation
      </Title>
      <Stack gap="sm">
        {rotation === null ? (
          <Text size="sm">There was no rotation yet.</Text>
        ) : (
          <Progressing rotation={rotation} />
        )}
        {!isRunning && !isPaused && (
          <Text size="sm">
            {due === 0
              ? 'Everything is sealed under the key that seals, so there is nothing to rotate.'
              : `${number.format(due)} ${due === 1 ? 'row is' : 'rows are'} to be sealed again.`}
          </Text>
        )}
        {!isRunning && (due > 0 || isPaused) && <Conditions encryption={encryption} />}
        {failure !== null && <ProblemAlert error={failure} />}
        {canRotate ? (
          <Group>
            {isRunning ? (
              <Button variant="default" loading={pause.isPending} onClick={() => pause.mutate({})}>
                Pause
              </Button>
            ) : (
              <Button variant={due > lost || isPaused ? 'filled' : 'default'} onClick={open}>
                {isPaused ? 'Continue' : 'Start a rotation'}
              </Button>
            )}
          </Group>
        ) : (
          <Text size="sm" c="dimmed">
            Starting one needs a key with the scope encryption:rotate.
          </Text>
        )}
      </Stack>
      <StartRotation
        encryption={encryption}
        due={due}
        isOpen={isAsking}
        isPaused={isPaused}
        onClose={close}
      />
    </Card>
  );
}

function Progressing({ rotation }: { rotation: Rotation }) {
  const {
    state,
    total,
    resealed,
    failed,
    key_id: keyId,
    started_at: startedAt,
    changed_at: changedAt,
  } = rotation;
  const done = resealed + failed;
  const isStuck = state === 'running' && Date.now() - Date.parse(changedAt) > STUCK_MS;
  return (
    <Stack gap="xs">
      <Text size="sm" role="status">
        {words[state]}{' '}
        {total === 0 ? (
          'There was nothing to seal again.'
        ) : (
          <>
            {number.format(resealed)} of {number.format(total)} rows are sealed under <code>{keyId}</code>
            {failed > 0 && `, ${number.format(failed)} could not be`}.
          </>
        )}{' '}
        Started <Moment time={startedAt} />
        {state === 'finished' && (
          <>
            , finished <Moment time={changedAt} />
          </>
        )}
        .
      </Text>
      <Progress.Root size="lg">
        <Progress.Section
          value={total === 0 ? 100 : Math.min(100, (resealed / total) * 100)}
          color={state === 'paused' ? 'gray' : 'teal'}
          animated={state === 'running'}
          aria-label="Rows that are sealed again"
        />
        {failed > 0 && (
          <Progress.Section
            value={total === 0 ? 0 : Math.min(100, (failed / total) * 100)}
            color="red"
            aria-label="Rows that could not be sealed again"
          />
        )}
      </Progress.Root>
      {isStuck && (
        <Alert color="yellow" title="Nothing was sealed for a minute">
          <Text size="sm">
            {done < total
              ? 'A process goes on only if it has every key under which credentials are sealed. Check above which process lacks one, and the log of the service.'
              : 'Some rows are locked by changes. The rotation ends when they are free.'}
          </Text>
        </Alert>
      )}
      {failed > 0 && <RotationFaults rotation={rotation} />}
    </Stack>
  );
}

const words: Readonly<Record<Rotation['state'], string>> = {
  running: 'Running.',
  paused: 'Paused.',
  finished: 'Finished.',
};

/** Rows with an older seal may be under the sealing key or another one, so the greater number is what is known. */
function dueRows({ keys, older_seals: olderSeals }: Encryption): number {
  return Math.max(sumOfRows(keys.filter(({ seals }) => !seals)), olderSeals);
}

function sumOfRows(keys: readonly EncryptionKey[]): number {
  return keys.reduce((sum, key) => sum + rowsOf(key), 0);
}
