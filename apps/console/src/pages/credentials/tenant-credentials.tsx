import { Alert, Anchor, Badge, Button, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { Empty, Loaded } from '../../parts/loaded';
import {
  emptySlots,
  type Provider,
  type Slots,
  useCredentials,
  useProviders,
  useTenant,
} from './credential-data';
import { ProviderCard } from './provider-card';

/** The credentials of one tenant, one card for each provider. The search parameter `provider` names the card to begin with. */
export function TenantCredentials({ tenantId, canWrite }: { tenantId: string; canWrite: boolean }) {
  const credentials = useCredentials(tenantId);
  const providers = useProviders();
  return (
    <Loaded query={credentials}>
      {(slots) => (
        <Loaded query={providers}>
          {(known) => <Cards tenantId={tenantId} slots={slots} providers={known} canWrite={canWrite} />}
        </Loaded>
      )}
    </Loaded>
  );
}

function Cards({
  tenantId,
  slots,
  providers,
  canWrite,
}: {
  tenantId: string;
  slots: readonly Slots[];
  providers: readonly Provider[];
  canWrite: boolean;
}) {
  const [parameters] = useSearchParams();
  const [deleted, setDeleted] = useState<string>();
  const wanted = parameters.get('provider');
  const expected = useTenant(tenantId).data?.expected_providers ?? [];
  const shown = shownProviders(slots, expected, providers, wanted);
  return (
    <Stack>
      {deleted !== undefined && (
        <Alert
          color="teal"
          role="status"
          withCloseButton
          closeButtonLabel="Close"
          onClose={() => setDeleted(undefined)}
        >
          {deleted}
        </Alert>
      )}
      {shown.length === 0 ? (
        <Empty title="This tenant has no credentials">
          Its calls to every provider fail, because no other key is used in place of its own.{' '}
          {canWrite && <ProviderLinks tenantId={tenantId} providers={providers} />}
        </Empty>
      ) : (
        <>
          {canWrite && (
            <Group justify="flex-end">
              <Button component={Link} to={`/tenants/${tenantId}/add`} variant="default" size="xs">
                Add a credential
              </Button>
            </Group>
          )}
          {shown.map((each) => (
            <ProviderCard
              key={each.provider}
              tenantId={tenantId}
              slots={each}
              provider={providers.find(({ id }) => id === each.provider)}
              canWrite={canWrite}
              isExpected={expected.includes(each.provider)}
              isWanted={each.provider === wanted}
              onDeleted={setDeleted}
            />
          ))}
        </>
      )}
    </Stack>
  );
}

/** Those with a credential, those that the tenant is expected to have, and the one that the address names. */
function shownProviders(
  slots: readonly Slots[],
  expected: readonly string[],
  providers: readonly Provider[],
  wanted: string | null,
): Slots[] {
  const named = [
    ...expected,
    ...(wanted !== null && providers.some(({ id }) => id === wanted) ? [wanted] : []),
  ];
  const missing = [...new Set(named)].filter((id) => !slots.some(({ provider }) => provider === id));
  return [...slots, ...missing.map(emptySlots)].sort((a, b) => a.provider.localeCompare(b.provider));
}

function ProviderLinks({ tenantId, providers }: { tenantId: string; providers: readonly Provider[] }) {
  return (
    <Stack align="center" mt="sm">
      <Button component={Link} to={`/tenants/${tenantId}/add`}>
        Add a credential
      </Button>
      <Text size="sm">It can have a credential for each of these providers:</Text>
      <Group gap={6} justify="center">
        {providers.map(({ id, label }) => (
          <Anchor key={id} component={Link} to={`/tenants/${tenantId}/add/${id}`} size="sm">
            <Badge component="span" variant="default" tt="none" style={{ cursor: 'inherit' }}>
              {label}
            </Badge>
          </Anchor>
        ))}
      </Group>
    </Stack>
  );
}
