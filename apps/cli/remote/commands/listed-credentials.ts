import { type ListCredentialsResponse } from '#credentials';
import { type TenantResponse } from '#tenants';
import { type Columns } from '../../output';
import { forEachAtOnce, type SysadminApi } from '../api';
import { RefusedRequest } from '../client';
import { type Printer } from '../printer';

type Stored = Omit<ListCredentialsResponse['credentials'][number], 'provider' | 'staged' | 'previous'>;
interface Row extends Stored {
  readonly provider: string;
  readonly slot: 'live' | 'staged' | 'previous';
}
/** What a tenant has, with its name, which the list of its credentials does not say. */
interface OfTenant extends ListCredentialsResponse {
  readonly tenant_id: string;
  readonly tenant: string;
}

const columns: Columns<Row> = {
  provider: (row) => row.provider,
  slot: (row) => row.slot,
  key: (row) => row.masked_key,
  status: (row) => row.status,
  version: (row) => row.version,
  configured_at: (row) => row.configured_at,
  expires_at: (row) => row.expires_at,
  verification: (row) => row.verification?.outcome,
};

/** Each stored credential is a row. */
function rows({ credentials, without_live: withoutLive = [] }: ListCredentialsResponse): Row[] {
  return [
    ...credentials.flatMap((live) => [{ ...live, slot: 'live' as const }, ...inactive(live)]),
    ...withoutLive.flatMap(inactive),
  ];
}

function inactive({
  provider,
  staged,
  previous,
}: Pick<ListCredentialsResponse['credentials'][number], 'provider' | 'staged' | 'previous'>): Row[] {
  return [
    ...(staged ? [{ ...staged, provider, slot: 'staged' as const }] : []),
    ...(previous ? [{ ...previous, provider, slot: 'previous' as const }] : []),
  ];
}

/** The list of one tenant. */
export const listed = { rows, columns };

type RowOfTenant = Row & { readonly of: OfTenant };

/** The API has no list over all tenants, so this asks for the list of each. */
export async function listedOfAll(api: SysadminApi, print: Printer): Promise<void> {
  const lists: OfTenant[] = [];
  await forEachTenant(api, async ({ id, name }) => {
    const list = await credentialsOf(api, id);
    if (list) lists.push({ tenant_id: id, tenant: name, ...list });
  });
  lists.sort((a, b) => inOrder(a.tenant, b.tenant));
  const withTenant: Columns<RowOfTenant> = {
    tenant: (row) => row.of.tenant,
    ...columns,
    tenant_id: (row) => row.of.tenant_id,
  };
  await print.list(lists, (list) => rows(list).map((row) => ({ ...row, of: list })), withTenant);
}

/** The order in which people look for names: 2 before 10. */
export const inOrder = new Intl.Collator('en', { numeric: true }).compare;

/** @returns undefined if the tenant was deleted in the meantime */
export async function credentialsOf(
  api: SysadminApi,
  tenantId: string,
): Promise<ListCredentialsResponse | undefined> {
  try {
    return await api.get<ListCredentialsResponse>(`${await api.tenantPath(tenantId)}/credentials`);
  } catch (error) {
    if (error instanceof RefusedRequest && error.code === 'tenant_not_found') return undefined;
    throw error;
  }
}

/** @param count is called with the number of all tenants, for a line of progress */
export async function forEachTenant(
  api: SysadminApi,
  task: (tenant: TenantResponse) => Promise<void>,
  count: (total: number) => void = () => undefined,
): Promise<void> {
  async function* tenants(): AsyncGenerator<TenantResponse> {
    for await (const { items, total } of api.tenantPages()) {
      count(total);
      yield* items;
    }
  }
  await forEachAtOnce(tenants(), task);
}
