import { type EntityManager } from 'typeorm';
import { keptSince, lastTenantEvents } from '#audit';
import { addFinding, fault, type Finding, warning } from '#database';
import { Tenant } from './tenant.entity';

const PAGE = 1000;

/** Compares the tenants with what the audit says last about each of them. */
export async function tenantFindings(manager: EntityManager): Promise<Finding[]> {
  const events = await lastTenantEvents(manager);
  const since = await keptSince(manager);
  const findings: Finding[] = [];
  for (let after: string | undefined; ;) {
    const page = await manager
      .createQueryBuilder(Tenant, 't')
      .where(after === undefined ? 'true' : 't.id > :after', { after })
      .orderBy('t.id')
      .limit(PAGE)
      .getMany();
    for (const { id, name, state, createdAt } of page) {
      const event = events.get(id);
      events.delete(id);
      const tenant = `tenant ${name} (${id})`;
      // The event of an older tenant was deleted, as AUDIT_RETENTION_DAYS says.
      if (event === undefined && since !== undefined && createdAt < since) continue;
      if (event === undefined) {
        addFinding(
          findings,
          warning(
            `${tenant} was not created by Tenkey: the audit has no event about it`,
            'Find out who wrote to the database. Create tenants through the sysadmin API.',
          ),
        );
      } else if (event.isDeleted) {
        addFinding(
          findings,
          fault(
            `${tenant} exists, but audit event ${event.seq} deleted it`,
            `Find out who wrote to the database. Delete it with npx tenkey tenants delete if it should not exist.`,
          ),
        );
      } else if (event.state !== undefined && event.state !== state) {
        addFinding(
          findings,
          fault(
            `${tenant} is ${state}, but audit event ${event.seq} made it ${event.state}`,
            `Find out who wrote to the database, and set the right state with npx tenkey tenants suspend or activate.`,
          ),
        );
      }
    }
    if (page.length < PAGE) break;
    after = page.at(-1)!.id;
  }
  const removed = [...events.values()].filter(({ isDeleted }) => !isDeleted);
  return [
    ...findings,
    ...removed.map(({ tenantId, seq }) =>
      fault(
        `tenant ${tenantId} is missing: its last audit event is ${seq}, which did not delete it`,
        'Find out who wrote to the database. Restore the tenant and its credentials from a backup, or create it again.',
      ),
    ),
  ];
}
