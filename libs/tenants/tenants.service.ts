import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager, type Repository } from 'typeorm';
import { AuditLogService } from '#audit';
import { sqlStateOf } from '#database';
import { type ChangedBy, isTime, Problem, sysadminPrefix, tenantPath, uuidPattern } from '#http';
import { Tenant } from './tenant.entity';
import { type CreateTenantRequest, type ListTenantsQuery, type UpdateTenantRequest } from './tenants.dto';

/** Tenants by id; every method fails with tenant_not_found rather than return nothing. */
@Injectable()
export class TenantsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly audit: AuditLogService,
  ) {}

  private get tenants(): Repository<Tenant> {
    return this.dataSource.getRepository(Tenant);
  }

  async create(dto: CreateTenantRequest, by: ChangedBy): Promise<Tenant> {
    const id = (dto.id ?? randomUUID()).toLowerCase();
    const row: Omit<Tenant, 'createdAt' | 'updatedAt'> = {
      id,
      name: dto.name,
      displayName: dto.display_name ?? null,
      contactEmail: dto.contact_email ?? null,
      state: dto.state ?? 'active',
    };
    return this.dataSource.transaction(async (transaction) => {
      await transaction.insert(Tenant, row).catch(asConflict);
      const made = await transaction.findOneByOrFail(Tenant, { id });
      await this.audit.record(transaction, by, {
        action: 'tenant.create',
        tenantId: id,
        details: { after: shown(row) },
      });
      // Not read after the commit: what failed then would be taken for a tenant that was not made.
      return made;
    });
  }

  async find(id: string): Promise<Tenant> {
    const tenant = await this.tenants.findOneBy({ id });
    if (!tenant) throw tenantNotFound();
    return tenant;
  }

  /** The tenant if it may call models now; tenant_suspended otherwise. */
  async findActive(id: string): Promise<Tenant> {
    const tenant = await this.find(id);
    if (tenant.state === 'active') return tenant;
    throw new Problem('tenant_suspended', {
      detail: 'This tenant is suspended; its calls are refused.',
      hint: `PATCH ${tenantPath(id)} with {"state":"active"} lets it call again.`,
    });
  }

  /**
   * Newest first; the cursor is the last row's creation time and id, so pages stay right while tenants come and go.
   * @param within only these; absent: all
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
    const isMore = entities.length > limit && last !== undefined;
    return { items, total, nextCursor: isMore ? encodeCursor(raw[limit - 1]?.time ?? '', last.id) : null };
  }

  async update(id: string, dto: UpdateTenantRequest, by: ChangedBy): Promise<Tenant> {
    const changes: Partial<Tenant> = {};
    if (typeof dto.name === 'string') changes.name = dto.name;
    if (dto.display_name !== undefined) changes.displayName = dto.display_name;
    if (dto.contact_email !== undefined) changes.contactEmail = dto.contact_email;
    if (typeof dto.state === 'string') changes.state = dto.state;
    if (Object.keys(changes).length === 0) return this.find(id);
    return this.dataSource.transaction(async (transaction) => {
      const before = await lockedTenant(transaction, id);
      await transaction.update(Tenant, { id }, changes).catch(asConflict);
      const changed = await transaction.findOneByOrFail(Tenant, { id });
      await this.audit.record(transaction, by, {
        action: 'tenant.update',
        tenantId: id,
        details: { before: shown(before), after: shown({ ...before, ...changes }) },
      });
      return changed;
    });
  }

  /**
   * Credentials and keys go with it, in the same statement (foreign keys); sysadmin keys that were for it are so no more,
   * lest they be for another that gets its id.
   */
  async remove(id: string, by: ChangedBy): Promise<void> {
    await this.dataSource.transaction(async (transaction) => {
      const before = await lockedTenant(transaction, id);
      const credentials = await transaction.query<object[]>(
        'select provider, key_hint as mask, version::text from tenant_credentials where tenant_id = $1 order by provider',
        [id],
      );
      const beside = await transaction.query<object[]>(
        'select provider, slot, key_hint as mask, version::text from credential_slots where tenant_id = $1 order by provider, slot',
        [id],
      );
      const keys = await transaction.query<object[]>(
        'select id, name, key_hint as mask from tenant_keys where tenant_id = $1 order by id',
        [id],
      );
      await transaction.delete(Tenant, { id });
      // After it, which waits for whoever makes a key for this tenant.
      const sysadminKeys = await transaction.query<object[]>(
        'select id, name, key_hint as mask from sysadmin_keys where $1 = any(tenant_ids) order by id for update',
        [id],
      );
      await transaction.query(
        'update sysadmin_keys set tenant_ids = array_remove(tenant_ids, $1::uuid) where $1 = any(tenant_ids)',
        [id],
      );
      const details = {
        before: {
          ...shown(before),
          credentials: [...credentials, ...beside],
          keys,
          sysadmin_keys: sysadminKeys,
        },
      };
      await this.audit.record(transaction, by, { action: 'tenant.delete', tenantId: id, details });
    });
  }
}

/** The tenant, locked until the commit: this orders changes of one tenant. FOR NO KEY UPDATE does not hold up those that only refer to it. */
export async function lockedTenant(transaction: EntityManager, id: string): Promise<Tenant> {
  const tenant = await transaction
    .createQueryBuilder(Tenant, 't')
    .where('t.id = :id', { id })
    .setLock('for_no_key_update')
    .getOne();
  if (!tenant) throw tenantNotFound();
  return tenant;
}

function shown({
  name,
  displayName,
  contactEmail,
  state,
}: Pick<Tenant, 'name' | 'displayName' | 'contactEmail' | 'state'>) {
  return { name, display_name: displayName, contact_email: contactEmail, state };
}

function tenantNotFound(): Problem {
  return new Problem('tenant_not_found', {
    detail: 'No tenant has this id.',
    hint: `GET ${sysadminPrefix}/tenants lists them; POST there creates one.`,
  });
}

function asConflict(error: unknown): never {
  if (sqlStateOf(error) !== '23505') throw error;
  throw new Problem('tenant_conflict', { detail: 'Another tenant has this name or id.', cause: error });
}

/** @param time with microseconds, which a Date has not: two tenants may be made in the same millisecond */
function encodeCursor(time: string, id: string): string {
  return Buffer.from(`${time} ${id}`).toString('base64url');
}

function decodeCursor(cursor: string): { time: string; id: string } {
  const [time = '', id = '', ...more] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (!isTime(time, 'UTC in µs') || !uuidPattern.test(id) || more.length > 0) throw badCursor();
  return { time, id };
}

function badCursor(): Problem {
  const fault = { path: 'cursor', message: 'cursor must be the next_cursor of a page' };
  return new Problem('validation_failed', { detail: 'The cursor is not valid.', errors: [fault] });
}
