import { type EntityManager } from 'typeorm';
import { Problem, sysadminPrefix, tenantPath } from '#http';
import { Tenant } from './tenant.entity';

/**
 * The tenant, locked until the commit: this puts the changes of one tenant in order. FOR NO KEY UPDATE does not block
 * transactions that only insert rows which refer to it.
 * @throws Problem tenant_not_found
 */
export async function lockedTenant(transaction: EntityManager, id: string): Promise<Tenant> {
  const tenant = await lockedTenantIfAny(transaction, id);
  if (!tenant) throw tenantNotFound();
  return tenant;
}

/** The same, or null when there is none. Then nothing is locked. */
export function lockedTenantIfAny(transaction: EntityManager, id: string): Promise<Tenant | null> {
  return transaction
    .createQueryBuilder(Tenant, 't')
    .addSelect('t.incarnation')
    .where('t.id = :id', { id })
    .setLock('for_no_key_update')
    .getOne();
}

/**
 * Keeps tenants from being deleted until the commit, with the lock that a row which refers to them would take. The order of
 * the ids makes deadlocks impossible among transactions that take only these locks.
 * @returns the ids of those that exist, sorted
 */
export async function tenantsKeptFromDeletion(
  transaction: EntityManager,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await transaction.query<{ id: string }[]>(
    'select id from tenants where id = any($1::uuid[]) order by id for key share',
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** The problem of a call for a suspended tenant. */
export function tenantSuspended(id: string): Problem {
  return new Problem('tenant_suspended', {
    detail: 'This tenant is suspended, so its calls are refused.',
    hint: `PATCH ${tenantPath(id)} with {"state":"active"} to reactivate it.`,
  });
}

export function tenantNotFound(): Problem {
  return new Problem('tenant_not_found', {
    detail: 'No tenant has this id.',
    hint: `GET ${sysadminPrefix}/tenants lists them; POST there creates one.`,
  });
}
