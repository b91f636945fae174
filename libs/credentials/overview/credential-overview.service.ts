import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { FernetService, SEALED_PREFIX } from '#crypto';
import { optionalTimeColumn, timeColumn } from '#database';
import { type ProbeOutcome } from '#egress';
import { Tenant } from '#tenants';
import {
  type CredentialStatus,
  credentialStatuses,
  type Rejection,
  type Slot,
  type Verification,
} from '../credential';
import { warningDays } from '../expiry';
import { CredentialHealth, CredentialSlot, TenantCredential } from '../rows/credentials.entity';

/** `tampered` is missing: a seal cannot be checked without the sealed key, and no query reads the sealed keys of all tenants. */
export const overviewStatuses = credentialStatuses.filter((status) => status !== 'tampered');

/** Selects live and staged credentials. A field that is absent selects all. */
export interface CredentialFilter {
  readonly status?: CredentialStatus;
  readonly provider?: string;
  /** Also those that have expired. */
  readonly expiresWithinDays?: number;
  /** true: only staged ones; false: only live ones. */
  readonly staged?: boolean;
}

/** What tells the rows apart, and their order. It does not change when a tenant is renamed. */
export interface CredentialPosition {
  readonly tenantId: string;
  readonly provider: string;
  readonly slot: Slot;
}

/** A live or staged credential of any tenant. */
export interface OverviewRow extends CredentialPosition {
  readonly tenant: string;
  readonly mask: string;
  readonly version: string;
  readonly status: CredentialStatus;
  readonly configuredAt: Date;
  readonly expiresAt: Date | null;
  readonly verification: Verification | null;
  readonly rejection: Rejection | null;
}

interface Page {
  /** The tenants that the key may see; absent: all. */
  readonly within?: readonly string[];
  readonly after?: CredentialPosition;
  readonly limit: number;
}

/** The live and staged credentials of all tenants, in one query for each page. It reads and decrypts no sealed key. */
@Injectable()
export class CredentialOverviewService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
  ) {}

  async page(
    filter: CredentialFilter,
    { within, after, limit }: Page,
    manager: EntityManager = this.dataSource.manager,
  ): Promise<OverviewRow[]> {
    const { from, parameters } = this.#selected(manager, filter);
    const conditions: string[] = [];
    if (within !== undefined) conditions.push(`c.tenant_id = any($${parameters.push(within)}::uuid[])`);
    if (after !== undefined) {
      const { tenantId, provider, slot } = after;
      const place = [tenantId, provider, slot].map((value) => `$${parameters.push(value)}`);
      conditions.push(
        `c.tenant_id >= ${place[0]}::uuid and (c.tenant_id, c.provider, c.slot) > (${place[0]}::uuid, ${place[1]}::text, ${place[2]}::text)`,
      );
    }
    const rows = await manager.query<Record<string, unknown>[]>(
      `select c.*, t.name as tenant, ${statusColumn} as status, h.outcome, h.latency_ms, h.verified_at, h.rejections, h.rejected_at
       ${from} ${conditions.map((condition) => `and ${condition}`).join(' ')}
       order by c.tenant_id, c.provider, c.slot limit $${parameters.push(limit)}`,
      parameters,
    );
    return rows.map(rowOf);
  }

  async count(filter: CredentialFilter, manager: EntityManager = this.dataSource.manager): Promise<number> {
    const { from, parameters } = this.#selected(manager, filter);
    const [row] = await manager.query<{ count: number }[]>(
      `select count(*)::int as count ${from}`,
      parameters,
    );
    return row?.count ?? 0;
  }

  #selected(manager: EntityManager, { status, provider, expiresWithinDays, staged }: CredentialFilter) {
    const nameOf = (entity: new () => object) => manager.connection.getMetadata(entity).tableName;
    const columns = `provider, key_hint, version, configured_at, expires_at, key_id,
      starts_with(sealed_api_key, '${SEALED_PREFIX}') as is_sealed`;
    const parameters: unknown[] = [this.fernet.keyIds(), new Date(), inDays(Math.max(...warningDays))];
    const conditions = ['cardinality($1::text[]) >= 0 and $2::timestamptz < $3::timestamptz'];
    if (status !== undefined) conditions.push(`${statusColumn} = $${parameters.push(status)}`);
    if (provider !== undefined) conditions.push(`c.provider = $${parameters.push(provider)}`);
    if (expiresWithinDays !== undefined) {
      conditions.push(`c.expires_at <= $${parameters.push(inDays(expiresWithinDays))}`);
    }
    const live = `select tenant_id, 'live' as slot, ${columns} from ${nameOf(TenantCredential)}`;
    const inactive = `select tenant_id, slot, ${columns} from ${nameOf(CredentialSlot)} where slot = 'staged'`;
    const stored = [...(staged === true ? [] : [live]), ...(staged === false ? [] : [inactive])];
    return {
      parameters,
      from: `from (${stored.join(' union all ')}) c
        join ${nameOf(Tenant)} t on t.id = c.tenant_id
        left join ${nameOf(CredentialHealth)} h
          on h.tenant_id = c.tenant_id and h.provider = c.provider and h.version = c.version
        where ${conditions.join(' and ')}`,
    };
  }
}

/** As `statusOf` decides for a row with its sealed key. The parameters are the loaded keys, now, and the time from which on none expires soon. */
const statusColumn = `case
  when not c.is_sealed then 'plaintext'
  when c.key_id <> all($1) then 'unreadable'
  when h.rejected_at is not null then 'rejected'
  when c.expires_at <= $2 then 'expired'
  when c.expires_at <= $3 then 'expiring'
  else 'ready' end`;

function inDays(days: number): Date {
  return new Date(Date.now() + days * 24 * 60 * 60 * 1000);
}

function rowOf(row: Record<string, any>): OverviewRow {
  const verifiedAt = optionalTimeColumn.from(row.verified_at);
  const rejectedAt = optionalTimeColumn.from(row.rejected_at);
  return {
    tenantId: row.tenant_id as string,
    tenant: row.tenant as string,
    provider: row.provider as string,
    slot: row.slot as Slot,
    mask: row.key_hint as string,
    version: row.version as string,
    status: row.status as CredentialStatus,
    configuredAt: timeColumn.from(row.configured_at),
    expiresAt: optionalTimeColumn.from(row.expires_at),
    verification:
      row.outcome && verifiedAt
        ? {
            outcome: row.outcome as ProbeOutcome,
            latencyMs: (row.latency_ms as number | null) ?? 0,
            verifiedAt,
          }
        : null,
    rejection: rejectedAt ? { at: rejectedAt, count: row.rejections as number } : null,
  };
}
