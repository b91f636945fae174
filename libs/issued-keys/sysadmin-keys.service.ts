import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager, In } from 'typeorm';
import { AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { type Secret } from '#crypto';
import { type ChangedBy, type ScopedGrant, scopes } from '#http';
import { waitAtStop } from '#database';
import { Tenant } from '#tenants';
import { issueKey } from './issued-key';
import { expiryOf, keyNotFound, notValid } from './key-fields';
import { LastUse } from './last-use';
import { validKey } from './stored-keys';
import { SysadminKey } from './sysadmin-key.entity';
import { type CreateSysadminKeyRequest } from './sysadmin-keys.dto';

/** Sysadmin keys with scopes. Made, seen and revoked with the super key alone; nothing of them is kept between two calls. */
@Injectable()
export class SysadminKeysService implements OnApplicationShutdown {
  readonly #lastUse = new LastUse((id) =>
    this.dataSource.query(
      `update sysadmin_keys set last_used_at = now()
       where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
      [id],
    ),
  );

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly audit: AuditLogService,
    @InjectConfig() private readonly config: Config,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await waitAtStop(this.#lastUse.written(), this.config);
  }

  /** @returns the row, and the key: the only time that it is seen */
  async create(dto: CreateSysadminKeyRequest, by: ChangedBy): Promise<{ row: SysadminKey; key: Secret }> {
    const expiresAt = expiryOf(dto.expires_at);
    const issued = issueKey('tks');
    const tenantIds = dto.tenant_ids?.map((id) => id.toLowerCase()) ?? null;
    const row = Object.assign(new SysadminKey(), {
      id: issued.id,
      name: dto.name,
      keyHash: issued.hash,
      keyHint: issued.text.mask,
      scopes: scopes.filter((scope) => dto.scopes.includes(scope)),
      tenantIds: tenantIds && [...new Set(tenantIds)].sort(),
      expiresAt,
      lastUsedAt: null,
      createdAt: new Date(),
    });
    await this.dataSource.transaction(async (transaction) => {
      await refuseUnknownTenants(transaction, row.tenantIds ?? []);
      await transaction.insert(SysadminKey, row);
      const details = { after: shown(row) };
      await this.audit.record(transaction, by, { action: 'sysadmin-key.create', details });
    });
    return { row, key: issued.text };
  }

  /** Newest first; also those that expired. */
  async list(): Promise<SysadminKey[]> {
    return this.dataSource.getRepository(SysadminKey).find({ order: { createdAt: 'DESC', id: 'ASC' } });
  }

  async find(id: string): Promise<SysadminKey> {
    const row = await this.dataSource.getRepository(SysadminKey).findOneBy({ id });
    if (!row) throw keyNotFound();
    return row;
  }

  /** From the commit on it opens nothing, in any process. @returns false when there was none */
  async remove(id: string, by: ChangedBy): Promise<boolean> {
    return this.dataSource.transaction(async (transaction) => {
      const before = await transaction.findOneBy(SysadminKey, { id });
      const deleted = before && (await transaction.delete(SysadminKey, { id }));
      if (!before || deleted?.affected !== 1) return false;
      const details = { before: shown(before) };
      await this.audit.record(transaction, by, { action: 'sysadmin-key.delete', details });
      return true;
    });
  }

  /** What a presented key opens now. A text that is no key, or a mistyped one, is not looked up. */
  async grant(presented: string): Promise<ScopedGrant | undefined> {
    const row = await validKey(this.dataSource, SysadminKey, 'tks', presented);
    if (row === undefined) return undefined;
    this.#lastUse.note(row.id, row.lastUsedAt);
    const { id: sysadminKeyId, name, scopes, tenantIds, expiresAt } = row;
    return {
      kind: 'scoped',
      actor: `sysadmin-key ${name} ${sysadminKeyId}`,
      sysadminKeyId,
      scopes,
      tenantIds,
      expiresAt,
    };
  }
}

/**
 * A slip in an id would make a key that opens nothing, or later another tenant's. Locked, so that a deletion of one comes
 * before, and is noticed, or after, and takes the id out of the key.
 */
async function refuseUnknownTenants(transaction: EntityManager, ids: readonly string[]): Promise<void> {
  const known = await transaction.find(Tenant, {
    select: { id: true },
    where: { id: In(ids) },
    order: { id: 'ASC' },
    lock: { mode: 'for_key_share' },
  });
  if (known.length !== ids.length) {
    throw notValid({ path: 'tenant_ids', message: 'tenant_ids must be ids of tenants that exist' });
  }
}

/** What the audit may say of a key. */
function shown(row: SysadminKey) {
  return {
    id: row.id,
    name: row.name,
    mask: row.keyHint,
    scopes: row.scopes,
    tenant_ids: row.tenantIds,
    expires_at: row.expiresAt?.toISOString() ?? null,
  };
}
