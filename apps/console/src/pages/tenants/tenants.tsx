import { Button, Group, Select, Text, TextInput } from '@mantine/core';
import { useMemo } from 'react';
import { useSession } from '../../api/session';
import { Empty, Loaded } from '../../parts/loaded';
import { PageHead } from '../../parts/page-head';
import { useParameters } from '../../parts/parameters';
import { statusLooks } from '../../parts/status-badge';
import { CreateTenant } from '../tenant/create-tenant';
import { Legend } from './legend';
import { type CellStatus, type Matrix, plainText, statusOf, type TenantRow, useMatrix } from './matrix-data';
import { MatrixTable } from './matrix-table';
import { VerifyMany } from './verify-many';

/** All tenants with their providers. */
export default function Tenants() {
  const session = useSession();
  const query = useMatrix();
  return (
    <>
      <PageHead
        title="Tenants"
        description="Each tenant's credential for each provider. Click a sign to open the credential."
        actions={
          <>
            <CreateTenant />
            {session.can('credentials:write') && session.tenant_ids === null && <VerifyMany />}
            <Button component="a" href="api/v1/sysadmin/credentials?format=csv" download variant="default">
              CSV
            </Button>
          </>
        }
      />
      <Loaded query={query}>{(matrix) => <FilteredMatrix matrix={matrix} />}</Loaded>
    </>
  );
}

function FilteredMatrix({ matrix }: { matrix: Matrix }) {
  const [parameters, change] = useParameters();
  const [search, status, provider] = ['search', 'status', 'provider'].map(
    (name) => parameters.get(name) ?? '',
  ) as [string, CellStatus | '', string];
  const set = (name: string, value: string | null) => change({ [name]: value });
  const providers = useMemo(
    () => (provider === '' ? matrix.providers : [provider]),
    [matrix.providers, provider],
  );
  const found = useMemo(
    () => matrix.rows.filter(({ text }) => text.includes(plainText(search.trim()))),
    [matrix.rows, search],
  );
  const rows = useMemo(
    () => found.filter((row) => isShown(row, providers, { status, provider })),
    [found, providers, status, provider],
  );
  return (
    <>
      <Group mb="sm" align="end">
        <TextInput
          label="Search"
          placeholder="Name of a tenant"
          value={search}
          flex={{ base: '1 1 100%', xs: '0 1 14rem' }}
          onChange={(event) => set('search', event.currentTarget.value)}
        />
        <Select
          label="Status"
          placeholder="All"
          flex={{ base: '1 1 8rem', xs: '0 1 12rem' }}
          clearable
          data={Object.entries(statusLooks).map(([value, { label }]) => ({ value, label }))}
          value={status === '' ? null : status}
          onChange={(value) => set('status', value)}
        />
        <Select
          label="Provider"
          placeholder="All"
          flex={{ base: '1 1 8rem', xs: '0 1 12rem' }}
          clearable
          searchable
          data={[...matrix.providers]}
          value={provider === '' ? null : provider}
          onChange={(value) => set('provider', value)}
        />
        <Text size="sm" c="dimmed" role="status" pb={8}>
          {rows.length === matrix.rows.length
            ? `${rows.length} tenants`
            : `${rows.length} of ${matrix.rows.length} tenants`}
        </Text>
      </Group>
      <Legend rows={found} providers={providers} status={status} onChange={(next) => set('status', next)} />
      {rows.length === 0 ? (
        <Empty title={matrix.rows.length === 0 ? 'There are no tenants yet' : 'No tenant matches'}>
          {matrix.rows.length === 0
            ? 'Create the first one above, or with npx tenkey apply.'
            : 'Change the search or the filters.'}
        </Empty>
      ) : (
        <MatrixTable rows={rows} providers={providers} />
      )}
    </>
  );
}

/** A credential has to match both filters. */
function isShown(
  row: TenantRow,
  providers: readonly string[],
  { status, provider }: { status: CellStatus | ''; provider: string },
): boolean {
  if (status === '') return provider === '' || row.cells.has(provider);
  return providers.some((each) => statusOf(row, each) === status);
}
