import { Anchor } from '@mantine/core';
import { Link, useLocation, useParams } from 'react-router';
import { Empty, Loaded } from '../../../parts/loaded';
import { PageHead } from '../../../parts/page-head';
import { emptySlots, useCredentials, useProviders, useTenant } from '../credential-data';
import { ProviderChoice } from './provider-choice';
import { Replacement } from './replacement';

/** Replaces a tenant's key in steps, or adds its first one. */
export default function Replace() {
  const { tenantId = '', provider: providerId } = useParams();
  const isAdding = useLocation().pathname.startsWith(`/tenants/${tenantId}/add`);
  const tenantName = useTenant(tenantId).data?.name ?? tenantId;
  const providers = useProviders();
  const credentials = useCredentials(tenantId);
  const provider = providers.data?.find(({ id }) => id === providerId);
  return (
    <>
      <Anchor
        component={Link}
        to={`/tenants/${tenantId}${providerId === undefined ? '' : `?provider=${providerId}`}`}
        size="sm"
      >
        ← {tenantName}
      </Anchor>
      <PageHead title={titleOf(isAdding, provider?.label ?? providerId, tenantName)} />
      <Loaded query={providers}>
        {(known) => (
          <Loaded query={credentials}>
            {(slots) =>
              providerId === undefined ? (
                <ProviderChoice tenantId={tenantId} providers={known} slots={slots} />
              ) : provider === undefined ? (
                <Undeclared tenantId={tenantId} />
              ) : (
                <Replacement
                  key={provider.id}
                  tenantId={tenantId}
                  tenantName={tenantName}
                  provider={provider}
                  slots={slots.find((each) => each.provider === provider.id) ?? emptySlots(provider.id)}
                  isAdding={isAdding}
                />
              )
            }
          </Loaded>
        )}
      </Loaded>
    </>
  );
}

function titleOf(isAdding: boolean, provider: string | undefined, tenant: string): string {
  if (provider === undefined) return `Add a credential for ${tenant}`;
  return isAdding ? `Add the ${provider} key of ${tenant}` : `Replace the ${provider} key of ${tenant}`;
}

function Undeclared({ tenantId }: { tenantId: string }) {
  return (
    <Empty title="There is no such provider">
      The model catalogue does not declare it, so no call could use the key.{' '}
      <Anchor component={Link} to={`/tenants/${tenantId}/add`} size="sm">
        Choose another provider.
      </Anchor>
    </Empty>
  );
}
