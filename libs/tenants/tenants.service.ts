import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { QueryFailedError, type Repository } from 'typeorm';
import { Problem } from '#http';
import { Tenant } from './tenant.entity';
import { type CreateTenantDto, type ListTenantsQuery, type UpdateTenantDto } from './tenants.dto';

/** Tenants by id; every method fails with tenant_not_found rather than return nothing. */
@Injectable()
export class TenantsService {
  constructor(@InjectRepository(Tenant) private readonly tenants: Repository<Tenant>) {}

  async create(dto: CreateTenantDto): Promise<Tenant> {
    const id = (dto.id ?? randomUUID()).toLowerCase();
    const row = { id, name: dto.name, displayName: dto.display_name ?? null, state: dto.state ?? 'active' };
    await this.tenants.insert(row).catch(asConflict);
    return this.find(id);
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
      hint: `PATCH /api/v1/sysadmin/tenants/${id} with {"state":"active"} lets it call again.`,
    });
  }

  /** Newest first; the cursor is the last row's creation time and id, so pages stay right while tenants are added. */
  async list(
    query: ListTenantsQuery,
  ): Promise<{ items: Tenant[]; total: number; nextCursor: string | null }> {
    const limit = query.limit ?? 100;
    const matching = this.tenants.createQueryBuilder('t');
    if (query.search) {
      const pattern = `%${query.search.replace(/[\\%_]/g, '\\$&')}%`;
      matching.where('(t.name ILIKE :pattern OR t.display_name ILIKE :pattern)', { pattern });
    }
    const total = await matching.getCount();
    if (query.cursor !== undefined) {
      const after = decodeCursor(query.cursor);
      const row = await this.tenants.findOneBy({ id: after });
      if (!row) throw badCursor();
      matching.andWhere(
        '(t.created_at, t.id) < (SELECT c.created_at, c.id FROM tenants c WHERE c.id = :after)',
        { after },
      );
    }
    const rows = await matching
      .orderBy('t.created_at', 'DESC')
      .addOrderBy('t.id', 'DESC')
      .limit(limit + 1)
      .getMany();
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    return { items, total, nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null };
  }

  async update(id: string, dto: UpdateTenantDto): Promise<Tenant> {
    const changes: Partial<Tenant> = {};
    if (typeof dto.name === 'string') changes.name = dto.name;
    if (dto.display_name !== undefined) changes.displayName = dto.display_name;
    if (typeof dto.state === 'string') changes.state = dto.state;
    if (Object.keys(changes).length > 0) await this.tenants.update({ id }, changes).catch(asConflict);
    return this.find(id);
  }

  /** Credentials go with it, in the same statement (foreign key). */
  async remove(id: string): Promise<void> {
    const { affected } = await this.tenants.delete({ id });
    if (!affected) throw tenantNotFound();
  }
}

export function tenantNotFound(): Problem {
  return new Problem('tenant_not_found', {
    detail: 'No tenant has this id.',
    hint: 'GET /api/v1/sysadmin/tenants lists them; POST there creates one.',
  });
}

function asConflict(error: unknown): never {
  const code = error instanceof QueryFailedError ? (error.driverError as { code?: string }).code : undefined;
  if (code !== '23505') throw error;
  throw new Problem('tenant_conflict', { detail: 'Another tenant has this name or id.', cause: error });
}

function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url');
}

function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id;
  throw badCursor();
}

function badCursor(): Problem {
  const fault = { path: 'cursor', message: 'cursor must be the next_cursor of a page' };
  return new Problem('validation_failed', { detail: 'The cursor is not valid.', errors: [fault] });
}
