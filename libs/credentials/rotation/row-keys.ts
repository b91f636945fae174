import { type EntityManager } from 'typeorm';
import { type Slot } from '../credential';
import { storedRows } from '../rows/credential-rows';
import { type TenantCredential } from '../rows/credentials.entity';
import { type CredentialTable, tableOf } from './sealed-tables';

/** What tells stored credentials apart. */
export interface RowKey {
  readonly tenant_id: string;
  readonly provider: string;
  readonly slot: Slot;
}

/**
 * Whose rows come next. Their sealed keys are read later, in a query that names the tenants.
 * @param which a condition whose only parameter is $4
 */
export async function nextKeys(
  manager: EntityManager,
  { entity, slot }: CredentialTable,
  after: RowKey | undefined,
  limit: number,
  which?: { readonly condition: string; readonly parameter: unknown },
): Promise<RowKey[]> {
  return manager.query<RowKey[]>(
    `select tenant_id, provider, ${slot} as slot from ${tableOf(manager, entity)}
     where ($1::uuid is null or (tenant_id, provider, ${slot}) > ($1, $2::text, $3::text))
       ${which === undefined ? '' : `and ${which.condition}`}
     order by 1, 2, 3 limit ${limit}`,
    [
      after?.tenant_id ?? null,
      after?.provider ?? null,
      after?.slot ?? null,
      ...(which === undefined ? [] : [which.parameter]),
    ],
  );
}

/** A query for the rows of these keys, with what `storedRows` adds. */
export function rowsOf(manager: EntityManager, { entity, slot }: CredentialTable, keys: readonly RowKey[]) {
  return storedRows<TenantCredential>(
    manager,
    entity,
    keys.map((key) => key.tenant_id),
  ).andWhere(
    `(c.tenant_id, c.provider, ${slot === 'slot' ? 'c.slot' : slot}) in (select * from unnest(:t::uuid[], :p::text[], :s::text[]))`,
    {
      t: keys.map((key) => key.tenant_id),
      p: keys.map((key) => key.provider),
      s: keys.map((key) => key.slot),
    },
  );
}
