import { Anchor, Stack, Tabs } from '@mantine/core';
import { type ComponentType } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { api } from '../../api/client';
import { type Scope, useSession } from '../../api/session';
import { Empty, Loaded } from '../../parts/loaded';
import { PageHead } from '../../parts/page-head';
import { TenantCredentials } from '../credentials/tenant-credentials';
import { TenantCalls } from '../calls/tenant-calls';
import { TenantKeys } from './keys/tenant-keys';
import { TenantModels } from './models/tenant-models';
import { TenantAudit } from './tenant-audit';
import { TenantHead } from './tenant-head';
import { TenantUsage } from './tenant-usage';

interface Tab {
  /** In the address, as `?tab=`. */
  readonly name: string;
  readonly label: string;
  readonly scope: Scope;
  readonly Content: ComponentType<{ tenantId: string }>;
}

const tabs: readonly Tab[] = [
  { name: 'credentials', label: 'Credentials', scope: 'credentials:read', Content: Credentials },
  { name: 'models', label: 'Models', scope: 'credentials:read', Content: TenantModels },
  { name: 'keys', label: 'Tenant keys', scope: 'keys:write', Content: TenantKeys },
  { name: 'usage', label: 'Usage', scope: 'usage:read', Content: TenantUsage },
  { name: 'calls', label: 'Calls', scope: 'usage:read', Content: TenantCalls },
  { name: 'audit', label: 'Audit', scope: 'audit:read', Content: TenantAudit },
];

/** One tenant: what it is, and in tabs what it has and did. */
export default function Tenant() {
  const { tenantId = '' } = useParams();
  const session = useSession();
  // The list of tenants is a page only for keys that may also list credentials.
  const [back, label] = session.can('credentials:read') ? ['/tenants', 'All tenants'] : ['/', 'Today'];
  const query = api.useQuery('get', '/api/v1/sysadmin/tenants/{tenant_id}', {
    params: { path: { tenant_id: tenantId } },
  });
  return (
    <>
      <Anchor component={Link} to={back} size="sm">
        {label}
      </Anchor>
      {query.data === undefined && query.error !== null && <PageHead title="Tenant" />}
      <Loaded query={query}>
        {(tenant) => (
          <Stack gap="lg">
            <TenantHead tenant={tenant} />
            <TenantTabs key={tenant.id} tenantId={tenant.id} />
          </Stack>
        )}
      </Loaded>
    </>
  );
}

function Credentials({ tenantId }: { tenantId: string }) {
  const session = useSession();
  return <TenantCredentials tenantId={tenantId} canWrite={session.can('credentials:write')} />;
}

function TenantTabs({ tenantId }: { tenantId: string }) {
  const session = useSession();
  const [parameters, setParameters] = useSearchParams();
  const allowed = tabs.filter(({ scope }) => session.can(scope));
  const shown = allowed.find(({ name }) => name === parameters.get('tab')) ?? allowed[0];
  if (shown === undefined)
    return <Empty title="Your key opens nothing else">It may read tenants, and no more.</Empty>;
  return (
    <Tabs
      value={shown.name}
      // The other parameters are those of the tab that is left.
      onChange={(name) => setParameters(name === null ? {} : { tab: name })}
      keepMounted={false}
    >
      <Tabs.List mb="md" aria-label="About the tenant">
        {allowed.map(({ name, label }) => (
          <Tabs.Tab key={name} value={name}>
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {allowed.map(({ name, Content }) => (
        <Tabs.Panel key={name} value={name}>
          <Content tenantId={tenantId} />
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
