import { Alert, Anchor, Button, List, Modal, Progress, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link } from 'react-router';
import { api } from '../../api/client';
import { useRefresh } from '../../api/session';
import { Loaded } from '../../parts/loaded';
import { ProblemAlert } from '../../parts/problem-alert';
import { Moment } from '../../parts/times';

const path = '/api/v1/sysadmin/credentials/verify';

/** Asks the providers whether they accept all stored keys, and shows how far that is. */
export function VerifyMany() {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      <Button variant="default" onClick={open}>
        Verify all keys
      </Button>
      <Modal opened={isOpen} onClose={close} title="Verify all keys" size="lg">
        <Verification />
      </Modal>
    </>
  );
}

function Verification() {
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
        Tenkey asks each provider whether it accepts the stored key. That costs nothing, and calls go on
        meanwhile. The verification goes on when you close this window.
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
                    {verification.verified} of {verification.total} verified, {verification.not_accepted} not
                    accepted. Started <Moment time={verification.started_at} />.
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
                <Button
                  loading={start.isPending}
                  onClick={() => start.mutate({ params: { query: isPaused ? { resume: true } : {} } })}
                >
                  {isPaused ? 'Go on' : 'Start'}
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </Stack>
  );
}
