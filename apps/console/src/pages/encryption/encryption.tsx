import { Alert, Anchor, Card, Stack, Text } from '@mantine/core';
import { Link } from 'react-router';
import { api } from '../../api/client';
import { useSession } from '../../api/session';
import { Empty, Loaded } from '../../parts/loaded';
import { PageHead } from '../../parts/page-head';
import { findingsOf } from './findings';
import { KeysTable } from './keys-table';
import { RotationCard } from './rotation-card';
import { Steps } from './steps';

/** How often a running rotation is read, in ms; otherwise the keys may change when a process starts or stops. */
const RUNNING_MS = 1000;
const IDLE_MS = 15_000;

/** Which encryption keys are in use, what is wrong with them, and the rotation. */
export default function EncryptionPage() {
  const session = useSession();
  const canList = session.can('tenants:read') && session.can('credentials:read');
  const query = api.useQuery(
    'get',
    '/api/v1/sysadmin/encryption',
    {},
    { refetchInterval: ({ state }) => (state.data?.rotation?.state === 'running' ? RUNNING_MS : IDLE_MS) },
  );
  return (
    <>
      <PageHead
        title="Encryption"
        description="The keys of Tenkey that seal what is stored, named by their fingerprints."
      />
      <Loaded query={query}>
        {(encryption) =>
          encryption.keys.length === 0 ? (
            <Card withBorder>
              <Empty title="No encryption key is in use">
                Tenkey runs without ENCRYPTION_KEY, and nothing is sealed. A key is required before tenants
                can have credentials of their own.
              </Empty>
            </Card>
          ) : (
            <Stack>
              {findingsOf(encryption).map(({ id, kind, title, detail, fix, link }) => (
                <Alert key={id + title} color={kind === 'error' ? 'red' : 'blue'} title={title}>
                  <Text size="sm">{detail}</Text>
                  <Text size="sm" fw={500} mt={4}>
                    {fix}
                  </Text>
                  {link !== undefined && canList && (
                    <Anchor component={Link} to={link.to} size="sm" underline="always">
                      {link.label}
                    </Anchor>
                  )}
                </Alert>
              ))}
              <KeysTable encryption={encryption} />
              <RotationCard encryption={encryption} canRotate={session.can('encryption:rotate')} />
              <Steps />
            </Stack>
          )
        }
      </Loaded>
    </>
  );
}
