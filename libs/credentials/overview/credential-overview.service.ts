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
    const { from, parameters } = this.#selected(manager, filter, after);
    const conditions: string[] = [];
    if (within !== undefined) conditions.push(`c.tenant_id = any($${parameters.push(within)}::uuid[])`);
    if (after !== undefined) {
      const [provider, slot] = [parameters.push(after.provider), parameters.push(after.slot)];
      conditions.push(`(c.tenant_id, c.provider, c.slot) > ($4, $${provider}::text, $${slot}::text)`);
    }
    const rows = await manager.query<SelectedRow[]>(
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
      `select count(${statusColumn})::int as count ${from}`,
      parameters,
    );
    return row?.count ?? 0;
  }

  /** The first tenant is given for each table, because the planner does not conclude it from the joins, and would read all before it. */
  #selected(manager: EntityManager, filter: CredentialFilter, after?: CredentialPosition) {
    const { status, provider, expiresWithinDays, staged } = filter;
    const nameOf = (entity: new () => object) => manager.connection.getMetadata(entity).tableName;
    const columns = `provider, key_hint, version, configured_at, expires_at, key_id,
      starts_with(sealed_api_key, '${SEALED_PREFIX}') as is_sealed`;
    const parameters: unknown[] = [
      this.fernet.keyIds(),
      new Date(),
      inDays(Math.max(...warningDays)),
      after?.tenantId ?? firstId,
    ];
    const conditions = ['c.tenant_id >= $4', 't.id >= $4'];
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
          on h.tenant_id >= $4 and h.tenant_id = c.tenant_id and h.provider = c.provider and h.version = c.version
        where ${conditions.join(' and ')}`,
    };
  }
}

/** As `statusOf` decides for a row with its sealed key. $1 are the loaded keys, $2 is now, and later than $3 nothing expires soon. */
const statusColumn = `case
  when not c.is_sealed then 'plaintext'
  when c.key_id <> all($1) then 'unreadable'
  when h.rejected_at is not null then 'rejected'
  when c.expires_at <= $2 then 'expired'
  when c.expires_at <= $3 then 'expiring'
  else 'ready' end`;

const firstId = '00000000-0000-0000-0000-000000000000';

function inDays(days: number): Date {
  return new Date(Date.now() + days * 24 * 60 * 60 * 1000);
}

/** A row as the query selects it. */
interface SelectedRow {
  readonly tenant_id: string;
  readonly tenant: string;
  readonly provider: string;
  readonly slot: Slot;
  readonly key_hint: string;
  readonly version: string;
  readonly status: CredentialStatus;
  readonly configured_at: unknown;
  readonly expires_at: unknown;
  readonly outcome: ProbeOutcome | null;
  readonly latency_ms: number | null;
  readonly verified_at: unknown;
  readonly rejections: number | null;
  readonly rejected_at: unknown;
}

function rowOf(row: SelectedRow): OverviewRow {
  const verifiedAt = optionalTimeColumn.from(row.verified_at);
  const rejectedAt = optionalTimeColumn.from(row.rejected_at);
  return {
    tenantId: row.tenant_id,
    tenant: row.tenant,
    provider: row.provider,
    slot: row.slot,
    mask: row.key_hint,
    version: row.version,
    status: row.status,
    configuredAt: timeColumn.from(row.configured_at),
    expiresAt: optionalTimeColumn.from(row.expires_at),
    verification:
      row.outcome && verifiedAt ? { outcome: row.outcome, latencyMs: row.latency_ms ?? 0, verifiedAt } : null,
    rejection: rejectedAt ? { at: rejectedAt, count: row.rejections ?? 0 } : null,
  };
}
