import { Option } from 'commander';
import { type CredentialOverviewResponse, type ListCredentialsResponse } from '#credentials';
import { type Columns } from '../../output';
import { PAGE, type SysadminApi } from '../api';
import { type Query } from '../client';
import { type Printer } from '../printer';

type Stored = Omit<ListCredentialsResponse['credentials'][number], 'provider' | 'staged' | 'previous'>;
interface Row extends Stored {
  readonly provider: string;
  readonly slot: 'live' | 'staged' | 'previous';
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

type OverviewRow = CredentialOverviewResponse['items'][number];

const overviewColumns: Columns<OverviewRow> = {
  tenant: (row) => row.tenant,
  provider: (row) => row.provider,
  slot: slotOf,
  key: (row) => row.masked_key,
  status: (row) => row.status,
  version: (row) => row.version,
  configured_at: (row) => row.configured_at,
  expires_at: (row) => row.expires_at,
  verification: (row) => row.verification?.outcome,
  tenant_id: (row) => row.tenant_id,
};

function slotOf({ staged }: OverviewRow): string {
  return staged ? 'staged' : 'live';
}

/** What selects among the credentials of all tenants. */
export interface FilterOptions {
  readonly status?: string;
  readonly provider?: string;
  readonly expiresWithinDays?: string;
  readonly staged?: boolean;
}

export const filterOptions = () => [
  new Option('--status <status>', 'of all tenants: only credentials of this status, such as expiring'),
  new Option('--provider <id>', 'of all tenants: only credentials for this provider'),
  new Option('--expires-within-days <days>', 'of all tenants: only credentials that expire in this time'),
  new Option('--staged', 'of all tenants: only staged credentials'),
];

export function filterQuery({ status, provider, expiresWithinDays, staged }: FilterOptions): Query {
  return {
    status,
    provider,
    expires_within_days: expiresWithinDays,
    staged: staged === undefined ? undefined : String(staged),
  };
}

export function hasFilter(options: FilterOptions): boolean {
  return Object.values(filterQuery(options)).some((value) => value !== undefined);
}

/** The live and staged credentials of all tenants, in the order in which people look for their names. */
export async function listedOfAll(api: SysadminApi, print: Printer, options: FilterOptions): Promise<void> {
  const items: OverviewRow[] = [];
  const query = { limit: PAGE, ...filterQuery(options) };
  for await (const page of api.pages<CredentialOverviewResponse>('/credentials', query)) {
    items.push(...page.items);
  }
  items.sort((a, b) => inOrder(a.tenant, b.tenant));
  const page: CredentialOverviewResponse = { items, count: items.length, next_cursor: null };
  await print.list([page], () => items, overviewColumns);
}

/** 2 comes before 10. */
export const inOrder = new Intl.Collator('en', { numeric: true }).compare;
