import { Alert, Anchor, Button, Group, List, Modal, Progress, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link } from 'react-router';
import { api, type Schemas } from '../../api/client';
import { useRefresh } from '../../api/session';
import { Loaded } from '../../parts/loaded';
import { useParameters } from '../../parts/parameters';
import { ProblemAlert } from '../../parts/problem-alert';
import { Moment } from '../../parts/times';
import { type Matrix, useMatrix } from './matrix-data';

const path = '/api/v1/sysadmin/credentials/verify';

/** At most, by all processes together. */
const KEYS_PER_MINUTE = 600;

/** Asks the providers whether they accept the stored keys that the filters of the address select, and shows how far that is. */
export function VerifyMany() {
  const [isOpen, { open, close }] = useDisclosure();
  const [parameters] = useParameters();
  const { data: matrix } = useMatrix();
  const [status, provider] = [parameters.get('status') ?? '', parameters.get('provider') ?? ''];
  const count = matrix === undefined ? 0 : countOfKeys(matrix, status, provider);
  const isAll = status === '' && provider === '';
  const title = isAll ? 'Verify all keys' : `Verify ${count === 1 ? '1 key' : `${count} keys`}`;
  return (
    <>
      <Button variant="default" onClick={open} disabled={count === 0}>
        {title}
      </Button>
      <Modal opened={isOpen} onClose={close} title={title} size="lg">
        <Verification
          title={title}
          count={count}
          filter={{
            ...(provider !== '' && { provider }),
            // The matrix has the status of the live credential only.
            ...(status !== '' && { status: status as Schemas['OverviewStatus'], staged: false }),
          }}
        />
      </Modal>
    </>
  );
}

const stateWords = { running: 'Running', paused: 'Paused', finished: 'Finished' } as const;

/** The search does not count, because the API cannot filter by it. No key of a tampered row is used, not even to verify it. */
function countOfKeys({ rows }: Matrix, status: string, provider: string): number {
  if (status === 'tampered') return 0;
  return rows
    .flatMap(({ cells }) => [...cells].filter(([name]) => provider === '' || name === provider))
    .reduce((sum, [, { mask, isStaged, ...cell }]) => {
      const isLive = mask !== undefined && (status === '' || cell.status === status);
      return sum + Number(isLive) + Number(isStaged && status === '');
    }, 0);
}

function Verification({
  title,
  count,
  filter,
}: {
  title: string;
  count: number;
  filter: Schemas['VerificationFilterResponse'];
}) {
  const refresh = useRefresh();
  const query = api.useQuery(
    'get',
    path,
    {},
    {
      refetchInterval: ({ state }) => (state.data?.verification?.state === 'running' ? 1000 : false),
    },
  );
  const start = api.useMutation('post', path, { onSuccess: refresh });
  const pause = api.useMutation('post', `${path}/pause`, { onSuccess: refresh });
  return (
    <Stack>
      <Text size="sm">
        Tenkey asks the providers whether they accept {count === 1 ? 'this key' : `these ${count} keys`}. That
        costs nothing, changes no key, and does not disturb calls. It takes {timeFor(count)}. You can pause
        it, and it goes on when you close this window.
      </Text>
      <Text size="sm">
        Keys that are not accepted are listed here, and have the status “rejected” in the table if the
        provider rejects them. The page of each tenant has the result for each key.
      </Text>
      <Loaded query={query}>
        {({ verification }) => {
          const isRunning = verification?.state === 'running';
          const isPaused = verification?.state === 'paused';
          return (
            <>
              {verification !== null && (
                <Stack gap="xs">
                  <Progress
                    value={
                      verification.total === 0 ? 100 : (verification.verified / verification.total) * 100
                    }
                    animated={isRunning}
                    aria-label="Verified keys"
                  />
                  <Text size="sm" role="status">
                    {stateWords[verification.state]}: {verification.verified} of {verification.total}{' '}
                    verified, {verification.not_accepted} not accepted. Started{' '}
                    <Moment time={verification.started_at} />.
                  </Text>
                  {verification.faults.length > 0 && (
                    <Alert color="red" title="Not accepted">
                      <List size="sm">
                        {verification.faults.map(
                          ({ tenant_id: id, tenant, provider, masked_key: mask, outcome }) => (
                            <List.Item key={`${id} ${provider}`}>
                              <Anchor component={Link} to={`/tenants/${id}?provider=${provider}`} size="sm">
                                {tenant ?? id}
                              </Anchor>{' '}
                              {provider} {mask}: {outcome}
                            </List.Item>
                          ),
                        )}
                      </List>
                    </Alert>
                  )}
                </Stack>
              )}
              {[start.error, pause.error].map(
                (error) => error && <ProblemAlert key={String(error)} error={error} />,
              )}
              {isRunning ? (
                <Button variant="default" loading={pause.isPending} onClick={() => pause.mutate({})}>
                  Pause
                </Button>
              ) : (
                <Group>
                  {isPaused && (
                    <Button
                      loading={start.isPending}
                      onClick={() => start.mutate({ params: { query: { resume: true } } })}
                    >
                      Go on
                    </Button>
                  )}
                  <Button
                    variant={isPaused ? 'default' : 'filled'}
                    loading={start.isPending}
                    onClick={() => start.mutate({ params: { query: filter } })}
                  >
                    {title}
                  </Button>
                </Group>
              )}
            </>
          );
        }}
      </Loaded>
    </Stack>
  );
}

function timeFor(count: number): string {
  const minutes = Math.ceil(count / KEYS_PER_MINUTE);
  return minutes === 1 ? 'less than a minute' : `about ${minutes} minutes`;
}
