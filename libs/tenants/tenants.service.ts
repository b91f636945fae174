import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager, type Repository } from 'typeorm';
import { AuditLogService, PersonalValue } from '#audit';
import { type CachedRows, CacheService, ChangesService } from '#cache';
import { sqlStateOf } from '#database';
import { type ChangedBy, isTime, Problem, uuidPattern } from '#http';
import { Tenant } from './tenant.entity';
import { lockedTenant, lockedTenantIfAny, tenantNotFound, tenantSuspended } from './tenant-locks';
import {
  type CreateTenantRequest,
  type ListTenantsQuery,
  type SetTenantRequest,
  type UpdateTenantRequest,
} from './tenants.dto';

/**
 * What another lib removes together with a tenant, in the transaction of the removal and under the tenant's lock. Each function
 * returns what the audit event names as removed.
 */
export interface TenantRemoval {
  /** Called before the tenant's row is deleted, which deletes the rows that refer to it (foreign keys). */
  before?(transaction: EntityManager, tenantId: string): Promise<Record<string, unknown>>;
  /** Called after the deletion, which has waited for the transactions that keep the tenant from being deleted. */
  after?(transaction: EntityManager, tenantId: string): Promise<Record<string, unknown>>;
}

/** What is known of a tenant of another system. */
interface ImportedTenant {
  /** When the other system created it; absent: now. */
  readonly createdAt?: Date;
  /** For the audit. */
  readonly origin?: string;
}

/** An estimate. */
const TENANT_BYTES = 700;

/** Tenants by id. Every method fails with tenant_not_found when there is none. */
@Injectable()
export class TenantsService {
  readonly #removals: TenantRemoval[] = [];
  readonly #cached: CachedRows<Tenant | null>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly audit: AuditLogService,
    private readonly changes: ChangesService,
    cache: CacheService,
  ) {
    this.#cached = cache.rows<Tenant | null>({
      name: 'tenant',
      tenantOf: (id) => id,
      load: async (id) => {
        const tenant = await this.tenants.findOneBy({ id });
        const lists = [tenant?.allowedHosting, tenant?.allowedProviders, tenant?.egressAllow].flat();
        const bytes = TENANT_BYTES + 2 * lists.join().length;
        return { value: tenant && Object.freeze(tenant), tenantId: id, bytes };
      },
    });
  }

  private get tenants(): Repository<Tenant> {
    return this.dataSource.getRepository(Tenant);
  }

  async create(dto: CreateTenantRequest, by: ChangedBy, imported?: ImportedTenant): Promise<Tenant> {
    const id = (dto.id ?? randomUUID()).toLowerCase();
    const create = (transaction: EntityManager) => this.insert(transaction, id, dto, by, imported);
    return this.changes.transaction([id], create, by);
  }

  /** Gives the tenant exactly these fields. It is created if there is none with this id. */
  async set(id: string, dto: SetTenantRequest, by: ChangedBy): Promise<Tenant> {
    const set = async (transaction: EntityManager) => {
      const before = await lockedTenantIfAny(transaction, id);
      if (before === null) return this.insert(transaction, id, dto, by);
      return this.change(transaction, before, columnsOf(dto), by);
    };
    try {
      return await this.changes.transaction([id], set, by);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'tenant_conflict') throw error;
      // Another request may have created the tenant in this moment. It exists now, unless another tenant has the name.
      return this.changes.transaction([id], set, by);
    }
  }

  /** The tenants that have one of these ids or one of these names. */
  async findAll(ids: readonly string[], names: readonly string[]): Promise<Tenant[]> {
    return this.tenants
      .createQueryBuilder('t')
      .where('t.id = any(:ids) or t.name = any(:names)', { ids, names })
      .getMany();
  }

  /** The names of those tenants of these ids that exist, by id. */
  async names(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (ids.length === 0) return new Map();
    const found = await this.tenants
      .createQueryBuilder('t')
      .select(['t.id', 't.name'])
      .where('t.id = any(:ids)', { ids })
      .getMany();
    return new Map(found.map(({ id, name }) => [id, name]));
  }

  async find(id: string): Promise<Tenant> {
    const tenant = await this.tenants.findOneBy({ id });
    if (!tenant) throw tenantNotFound();
    return tenant;
  }

  /** The tenant if it may call models now, for calls; tenant_suspended otherwise. */
  async findActive(id: string): Promise<Tenant> {
    const tenant = await this.#cached.find(id);
    if (tenant === null) throw tenantNotFound();
    if (tenant.state === 'active') return tenant;
    throw tenantSuspended(id);
  }

  /**
   * Newest first. The cursor is the last row's creation time and id, so pages stay correct while tenants are created and
   * deleted.
   * @param within the ids of the tenants to list; absent: all
   */
  async list(
    query: ListTenantsQuery,
    within?: readonly string[],
  ): Promise<{ items: Tenant[]; total: number; nextCursor: string | null }> {
    const limit = query.limit ?? 100;
    const matching = this.tenants.createQueryBuilder('t');
    if (query.search) {
      const pattern = `%${query.search.replace(/[\\%_]/g, '\\$&')}%`;
      matching.where('(t.name ILIKE :pattern OR t.display_name ILIKE :pattern)', { pattern });
    }
    if (within !== undefined) matching.andWhere('t.id = any(:within)', { within });
    const total = await matching.getCount();
    if (query.cursor !== undefined) {
      matching.andWhere('(t.created_at, t.id) < (:time::timestamptz, :id::uuid)', decodeCursor(query.cursor));
    }
    const { entities, raw } = await matching
      .addSelect(`to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`, 'time')
      .orderBy('t.created_at', 'DESC')
      .addOrderBy('t.id', 'DESC')
      .limit(limit + 1)
      .getRawAndEntities<{ time: string }>();
    const items = entities.slice(0, limit);
    const last = items.at(-1);
    const hasMore = entities.length > limit && last !== undefined;
    return { items, total, nextCursor: hasMore ? encodeCursor(raw[limit - 1]?.time ?? '', last.id) : null };
  }

  async update(id: string, dto: UpdateTenantRequest, by: ChangedBy): Promise<Tenant> {
    const changes: Partial<Tenant> = {};
    if (typeof dto.name === 'string') changes.name = dto.name;
    if (dto.display_name !== undefined) changes.displayName = dto.display_name;
    if (dto.contact_email !== undefined) changes.contactEmail = dto.contact_email;
    if (typeof dto.state === 'string') changes.state = dto.state;
    if (dto.expected_providers !== undefined) changes.expectedProviders = dto.expected_providers;
    if (dto.allowed_hosting !== undefined) changes.allowedHosting = dto.allowed_hosting;
    if (dto.allowed_providers !== undefined) changes.allowedProviders = dto.allowed_providers;
    if (dto.egress_allow !== undefined) changes.egressAllow = dto.egress_allow;
    const update = async (transaction: EntityManager) =>
      this.change(transaction, await lockedTenant(transaction, id), changes, by);
    return this.changes.transaction([id], update, by);
  }

  /** Registers what another lib removes with a tenant. */
  onRemoval(removal: TenantRemoval): void {
    this.#removals.push(removal);
  }

  /**
   * Deletes the tenant and what other libs have registered.
   * @param erase whether its names and its contact are also removed from the audit
   */
  async remove(id: string, by: ChangedBy, erase = false): Promise<void> {
    const remove = async (transaction: EntityManager) => {
      const before: Record<string, unknown> = auditedTenant(await lockedTenant(transaction, id));
      for (const removal of this.#removals) {
        Object.assign(before, await removal.before?.(transaction, id));
      }
      await transaction.delete(Tenant, { id });
      for (const removal of this.#removals) {
        Object.assign(before, await removal.after?.(transaction, id));
      }
      const change = { action: 'tenant.delete' as const, tenantId: id, details: { before } };
      if (erase) await this.audit.recordErasure(transaction, by, id, change);
      else await this.audit.record(transaction, by, change);
    };
    await this.changes.transaction([id], remove, by);
  }

  private async insert(
    transaction: EntityManager,
    id: string,
    dto: SetTenantRequest,
    by: ChangedBy,
    { createdAt, origin }: ImportedTenant = {},
  ): Promise<Tenant> {
    const row = { id, ...columnsOf(dto), incarnation: randomUUID(), ...(createdAt && { createdAt }) };
    await transaction.insert(Tenant, row).catch(asConflict);
    const created = await transaction.findOneByOrFail(Tenant, { id });
    await this.audit.record(transaction, by, {
      action: 'tenant.create',
      tenantId: id,
      details: { after: auditedTenant(row), ...(origin !== undefined && { origin }) },
    });
    // Read before the commit: if a read after it failed, the client would take the tenant for not created.
    return created;
  }

  /** Changes a locked tenant. What is the same already is neither written nor audited. */
  private async change(
    transaction: EntityManager,
    before: Tenant,
    columns: Partial<Tenant>,
    by: ChangedBy,
  ): Promise<Tenant> {
    const { id } = before;
    const after = { ...before, ...columns };
    if (!isDeepStrictEqual(auditedTenant(before), auditedTenant(after))) {
      await transaction.update(Tenant, { id }, columns).catch(asConflict);
      await this.audit.record(transaction, by, {
        action: 'tenant.update',
        tenantId: id,
        details: { before: auditedTenant(before), after: auditedTenant(after) },
      });
    }
    return transaction.findOneByOrFail(Tenant, { id });
  }
}

/** The columns that a body gives all of. */
function columnsOf(dto: SetTenantRequest) {
  return {
    name: dto.name,
    displayName: dto.display_name ?? null,
    contactEmail: dto.contact_email ?? null,
    state: dto.state ?? 'active',
    expectedProviders: dto.expected_providers ?? null,
    allowedHosting: dto.allowed_hosting ?? null,
    allowedProviders: dto.allowed_providers ?? null,
    egressAllow: dto.egress_allow ?? null,
  };
}

/** What the audit shows of a tenant. */
function auditedTenant(tenant: Omit<Tenant, 'id' | 'incarnation' | 'createdAt' | 'updatedAt'>) {
  const { name, displayName, contactEmail, state } = tenant;
  const { expectedProviders, allowedHosting, allowedProviders, egressAllow } = tenant;
  return {
    name: personal(name),
    display_name: personal(displayName),
    contact_email: personal(contactEmail),
    state,
    ...(expectedProviders !== null && { expected_providers: expectedProviders }),
    ...(allowedHosting !== null && { allowed_hosting: allowedHosting }),
    ...(allowedProviders !== null && { allowed_providers: allowedProviders }),
    ...(egressAllow !== null && { egress_allow: egressAllow }),
  };
}

function personal(value: string | null): PersonalValue | null {
  return value === null ? null : new PersonalValue(value);
}

function asConflict(error: unknown): never {
  if (sqlStateOf(error) !== '23505') throw error;
  throw new Problem('tenant_conflict', { detail: 'Another tenant has this name or id.', cause: error });
}

/** @param time with microseconds, which a Date does not have: two tenants may be created in the same millisecond */
function encodeCursor(time: string, id: string): string {
  return Buffer.from(`${time} ${id}`).toString('base64url');
}

function decodeCursor(cursor: string): { time: string; id: string } {
  const [time = '', id = '', ...rest] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (!isTime(time, 'UTC in µs') || !uuidPattern.test(id) || rest.length > 0) throw badCursor();
  return { time, id };
}

function badCursor(): Problem {
  const fault = { path: 'cursor', message: 'cursor must be the next_cursor of a page' };
  return new Problem('validation_failed', { detail: 'The cursor is not valid.', errors: [fault] });
}
