import { type EntityManager } from 'typeorm';

const PAGE = 1000;

/** What the audit says last about a tenant. */
export interface TenantEvent {
  readonly tenantId: string;
  readonly seq: string;
  readonly isDeleted: boolean;
  /** Undefined when the event does not say. */
  readonly state?: string;
}

/** The last creation, change or deletion of each tenant that was ever recorded, by tenant. */
export async function lastTenantEvents(manager: EntityManager): Promise<Map<string, TenantEvent>> {
  const events = new Map<string, TenantEvent>();
  for (let after: string | null = null; ;) {
    const page: { id: string; seq: string; action: string; state: string | null }[] = await manager.query(
      `select distinct on (tenant_id) tenant_id as id, seq::text, action, details #>> '{after,state}' as state
       from audit_events
       where action in ('tenant.create', 'tenant.update', 'tenant.delete') and outcome = 'done'
         and tenant_id is not null and ($1::uuid is null or tenant_id > $1)
       order by tenant_id, seq desc limit ${PAGE}`,
      [after],
    );
    for (const { id, seq, action, state } of page) {
      const event = { tenantId: id, seq, isDeleted: action === 'tenant.delete' };
      events.set(id, { ...event, ...(state !== null && { state }) });
    }
    if (page.length < PAGE) return events;
    after = page.at(-1)!.id;
  }
}

/** When the newest event was recorded, as the database writes it in UTC; undefined without events. */
export async function newestEvent(
  manager: EntityManager,
): Promise<{ seq: string; at: string; action: string } | undefined> {
  const [event] = await manager.query<{ seq: string; at: string; action: string }[]>(
    `select seq::text, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at, action
     from audit_events order by audit_events.seq desc limit 1`,
  );
  return event;
}
