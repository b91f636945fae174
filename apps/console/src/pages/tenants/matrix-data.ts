import { useQuery } from '@tanstack/react-query';
import { allPages } from '../../api/all-pages';
import { client, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { type statusLooks } from '../../parts/status-badge';

export type CellStatus = keyof typeof statusLooks;

/** What the matrix shows of a tenant and a provider. */
export interface Cell {
  readonly status: CellStatus;
  readonly mask?: string;
  /** A credential is staged. */
  readonly isStaged: boolean;
}

export interface TenantRow {
  readonly id: string;
  readonly name: string;
  /** Null also if it is the name. */
  readonly displayName: string | null;
  /** What a search compares. */
  readonly text: string;
  readonly state: Schemas['TenantState'];
  /** By provider; absent: the tenant has no credential and is not expected to have one. */
  readonly cells: ReadonlyMap<string, Cell>;
}

export interface Matrix {
  readonly providers: readonly string[];
  readonly rows: readonly TenantRow[];
}

/** All tenants with their credentials; about 290 tenants are four requests. */
export function useMatrix() {
  const session = useSession();
  const canSeeTampered = session.can('readiness:read');
  return useQuery({
    queryKey: ['matrix'],
    queryFn: async (): Promise<Matrix> => {
      const [tenants, credentials, failing] = await Promise.all([
        allPages((cursor) =>
          client.GET('/api/v1/sysadmin/tenants', { params: { query: { limit: 500, cursor } } }),
        ),
        allPages((cursor) =>
          client.GET('/api/v1/sysadmin/credentials', { params: { query: { limit: 500, cursor } } }),
        ),
        canSeeTampered
          ? allPages((cursor) =>
              client.GET('/api/v1/sysadmin/readiness', {
                params: { query: { only: 'failing', limit: 200, cursor } },
              }),
            )
          : [],
      ]);
      return matrixOf(
        tenants.flatMap(({ items }) => items),
        credentials.flatMap(({ items }) => items),
        failing.flatMap(({ items }) => items),
      );
    },
  });
}

/** Without accents and capitals, so that "are" finds "Åre" and "Åre" finds "are". */
export function plainText(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

export function statusOf({ cells }: TenantRow, provider: string): CellStatus {
  return cells.get(provider)?.status ?? 'none';
}

/** @param failing the only list of all tenants whose credentials were unsealed, so that it knows which of them are tampered */
function matrixOf(
  tenants: readonly Schemas['TenantResponse'][],
  credentials: readonly Schemas['OverviewCredentialResponse'][],
  failing: readonly Schemas['TenantReadinessResponse'][],
): Matrix {
  const cells = new Map<string, Map<string, Cell>>();
  const counts = new Map<string, number>();
  const cellsOf = (tenantId: string) => {
    const known = cells.get(tenantId) ?? new Map<string, Cell>();
    cells.set(tenantId, known);
    return known;
  };
  const count = (provider: string) => counts.set(provider, (counts.get(provider) ?? 0) + 1);
  for (const { tenant_id: id, provider, staged, status, masked_key: mask } of credentials) {
    const known = cellsOf(id).get(provider);
    if (staged) cellsOf(id).set(provider, { status: 'none', ...known, isStaged: true });
    else cellsOf(id).set(provider, { isStaged: known?.isStaged ?? false, status, mask });
    if (!staged) count(provider);
  }
  for (const { tenant_id: id, providers } of failing) {
    for (const { provider, credential } of providers) {
      const known = cellsOf(id).get(provider);
      if (known !== undefined && credential?.status === 'tampered')
        cellsOf(id).set(provider, { ...known, status: 'tampered' });
    }
  }
  for (const { id, expected_providers: expected } of tenants) {
    for (const provider of expected ?? []) {
      const known = cellsOf(id).get(provider);
      if (known === undefined || known.status === 'none')
        cellsOf(id).set(provider, { isStaged: known?.isStaged ?? false, status: 'missing' });
      if (known === undefined) count(provider);
    }
  }
  return {
    // Those that most tenants use come first.
    providers: [...counts]
      .sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
      .map(([provider]) => provider),
    rows: tenants
      .map(({ id, name, display_name: displayName, state }) => ({
        id,
        name,
        displayName: displayName === name ? null : displayName,
        text: plainText(`${name} ${displayName ?? ''}`),
        state,
        cells: cells.get(id) ?? new Map<string, Cell>(),
      }))
      .sort((a, b) => a.name.localeCompare(b.name)),
  };
}
