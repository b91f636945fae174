import { type EntityManager } from 'typeorm';
import { type ProbeResult } from '#egress';
import { tenantsKeptFromDeletion } from '#tenants';
import { type CredentialHealth } from '../rows/credentials.entity';

/** One version of one credential. */
export type CredentialVersion = Pick<CredentialHealth, 'tenantId' | 'provider' | 'version'>;

/** What calls found out about one version since this was last written. */
export interface TrafficHealth extends CredentialVersion {
  /** The provider accepted it after it had rejected it. `rejections` came after that. */
  readonly isCleared: boolean;
  readonly rejections: number;
  readonly rejectedAt: Date;
}

/** Whether the version that the row `v` names is stored, in any slot. As one statement it sees a move either whole or not at all. */
const isStored = `(
  exists (select 1 from tenant_credentials c
    where (c.tenant_id, c.provider, c.version) = (v.tenant_id, v.provider, v.version))
  or exists (select 1 from credential_slots s
    where (s.tenant_id, s.provider, s.version) = (v.tenant_id, v.provider, v.version)))`;

/** Writes the result of a verification, unless its version has been deleted since: it does not apply to another one. */
export async function recordVerification(
  manager: EntityManager,
  { tenantId, provider, version }: CredentialVersion,
  { outcome, latencyMs }: ProbeResult,
  at: Date,
): Promise<void> {
  await manager.query(
    `insert into credential_health as h
       (tenant_id, provider, version, outcome, latency_ms, verified_at, rejections, rejected_at)
     select tenant_id, provider, version, $4::text, $5::integer, $6::timestamptz,
       case when $4 = 'rejected' then 1 else 0 end, case when $4 = 'rejected' then $6::timestamptz end
     from (values ($1::uuid, $2::text, $3::bigint)) as v (tenant_id, provider, version) where ${isStored}
     on conflict (tenant_id, provider, version) do update set
       outcome = excluded.outcome, latency_ms = excluded.latency_ms, verified_at = excluded.verified_at,
       rejections = case excluded.outcome
         when 'accepted' then 0 when 'rejected' then h.rejections + 1 else h.rejections end,
       rejected_at = case excluded.outcome
         when 'accepted' then null when 'rejected' then excluded.rejected_at else h.rejected_at end`,
    [tenantId, provider, version, outcome, latencyMs, at],
  );
}

/**
 * Writes what calls found out. It first locks every row that it needs, tenants before health and each in one order, so that
 * it cannot deadlock with another process that writes the opposite, or with the deletion of a tenant, which locks the tenant
 * and then its rows.
 */
export async function recordTraffic(
  transaction: EntityManager,
  notes: readonly TrafficHealth[],
): Promise<void> {
  const columnsOf = (list: readonly TrafficHealth[]) => [
    list.map(({ tenantId }) => tenantId),
    list.map(({ provider }) => provider),
    list.map(({ version }) => version),
  ];
  await tenantsKeptFromDeletion(
    transaction,
    notes.map(({ tenantId }) => tenantId),
  );
  await transaction.query(
    `select 1 from credential_health h
     join unnest($1::uuid[], $2::text[], $3::bigint[]) as n (tenant_id, provider, version)
       on (h.tenant_id, h.provider, h.version) = (n.tenant_id, n.provider, n.version)
     order by h.tenant_id, h.provider, h.version for update of h`,
    columnsOf(notes),
  );
  const cleared = notes.filter(({ isCleared }) => isCleared);
  if (cleared.length > 0) {
    await transaction.query(
      `update credential_health h set rejections = 0, rejected_at = null
       from unnest($1::uuid[], $2::text[], $3::bigint[]) as n (tenant_id, provider, version)
       where (h.tenant_id, h.provider, h.version) = (n.tenant_id, n.provider, n.version)`,
      columnsOf(cleared),
    );
  }
  const rejected = notes.filter(({ rejections }) => rejections > 0);
  if (rejected.length === 0) return;
  await transaction.query(
    `insert into credential_health as h (tenant_id, provider, version, rejections, rejected_at)
     select tenant_id, provider, version, v.rejections, v.rejected_at
     from unnest($1::uuid[], $2::text[], $3::bigint[], $4::integer[], $5::timestamptz[])
       as v (tenant_id, provider, version, rejections, rejected_at)
     where ${isStored}
     order by 1, 2, 3
     on conflict (tenant_id, provider, version) do update set
       rejections = h.rejections + excluded.rejections,
       rejected_at = greatest(h.rejected_at, excluded.rejected_at)`,
    [
      ...columnsOf(rejected),
      rejected.map((note) => note.rejections),
      rejected.map(({ rejectedAt }) => rejectedAt),
    ],
  );
}

/**
 * Deletes the health of one provider's versions that are no longer stored. If a call writes such a row at the same moment, it
 * stays, unused, until the next deletion.
 */
export async function deleteStaleHealth(
  transaction: EntityManager,
  { tenantId, provider }: Pick<CredentialVersion, 'tenantId' | 'provider'>,
): Promise<void> {
  await transaction.query(
    `delete from credential_health v where tenant_id = $1 and provider = $2 and not ${isStored}`,
    [tenantId, provider],
  );
}

/** The same for all tenants. Reads only which versions exist. */
export async function deleteAllStaleHealth(manager: EntityManager): Promise<void> {
  await manager.query(`delete from credential_health v where not ${isStored}`);
}
