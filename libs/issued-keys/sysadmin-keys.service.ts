import { isDeepStrictEqual } from 'node:util';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { type Secret } from '#crypto';
import { type ChangedBy, scopes, type SysadminGrant } from '#http';
import { waitAtStop } from '#database';
import { tenantsKeptFromDeletion } from '#tenants';
import { SysadminKey } from './issued-keys.entity';
import { expiryOf, notValid } from './key-fields';
import { deleteSessionsWithMore } from './sessions/session-rows';
import { auditedKey, deleteKey, findKey, LastUse, listKeys, newKey, validKey } from './stored-keys';
import { type CreateSysadminKeyRequest } from './sysadmin-keys.dto';

/** Sysadmin keys with scopes. Only the super key creates, changes, lists and revokes them. Nothing is cached between requests. */
@Injectable()
export class SysadminKeysService implements OnApplicationShutdown {
  readonly #lastUse: LastUse;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly audit: AuditLogService,
    @InjectConfig() private readonly config: Config,
  ) {
    this.#lastUse = new LastUse(dataSource, SysadminKey);
  }

  async onApplicationShutdown(): Promise<void> {
    await waitAtStop(this.#lastUse.written(), this.config);
  }

  /** @returns the row, and the key, which is not kept anywhere */
  async create(dto: CreateSysadminKeyRequest, by: ChangedBy): Promise<{ row: SysadminKey; key: Secret }> {
    const { key, columns } = newKey('tks', dto.name, expiryOf(dto.expires_at));
    const row = Object.assign(new SysadminKey(), columns, rightsOf(dto));
    await this.dataSource.transaction(async (transaction) => {
      await refuseUnknownTenants(transaction, row.tenantIds ?? []);
      await transaction.insert(SysadminKey, row);
      const details = { after: auditedSysadminKey(row) };
      await this.audit.record(transaction, by, { action: 'sysadmin-key.create', details });
    });
    return { row, key };
  }

  /**
   * Gives a key exactly this name, expiry and rights. What is the same already is neither written nor audited. After the commit
   * the key opens only what it may from now on, in every process, and its sessions that had a scope more have ended.
   * @throws Problem key_not_found
   */
  async update(id: string, dto: CreateSysadminKeyRequest, by: ChangedBy): Promise<SysadminKey> {
    return this.dataSource.transaction(async (transaction) => {
      const rights = rightsOf(dto);
      // The order of a tenant's deletion, which locks the tenant before the keys that are limited to it.
      await refuseUnknownTenants(transaction, rights.tenantIds ?? []);
      await transaction.query('select 1 from sysadmin_keys where id = $1 for update', [id]);
      const before = await findKey(transaction, SysadminKey, { id });
      const columns = { name: dto.name, expiresAt: expiryOf(dto.expires_at, before.expiresAt), ...rights };
      const after = Object.assign(new SysadminKey(), before, columns);
      const details = { before: auditedSysadminKey(before), after: auditedSysadminKey(after) };
      if (isDeepStrictEqual(details.before, details.after)) return before;
      await transaction.update(SysadminKey, { id }, columns);
      await deleteSessionsWithMore(transaction, id, rights.scopes);
      await this.audit.record(transaction, by, { action: 'sysadmin-key.update', details });
      return after;
    });
  }

  /** Newest first, with expired keys. */
  async list(): Promise<SysadminKey[]> {
    return listKeys(this.dataSource, SysadminKey);
  }

  async find(id: string): Promise<SysadminKey> {
    return findKey(this.dataSource, SysadminKey, { id });
  }

  /** After the commit the key and its sessions open nothing in any process. @returns false when there was none */
  async remove(id: string, by: ChangedBy): Promise<boolean> {
    return this.dataSource.transaction(async (transaction) => {
      const before = await deleteKey(transaction, SysadminKey, { id });
      if (!before) return false;
      const details = { before: auditedSysadminKey(before) };
      await this.audit.record(transaction, by, { action: 'sysadmin-key.delete', details });
      return true;
    });
  }

  /** What a presented key opens now. A text that is not a sysadmin key, or a mistyped one, is not looked up. */
  async grant(presented: string): Promise<SysadminGrant | undefined> {
    const row = await validKey(this.dataSource, SysadminKey, 'tks', presented);
    return row && this.grantOf(row);
  }

  /** What the key of a row that has just been read opens, itself or with a session. It counts as a use of the key. */
  grantOf({ id: sysadminKeyId, name, scopes, tenantIds, expiresAt }: SysadminKey): SysadminGrant {
    this.#lastUse.note(sysadminKeyId);
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
 * A key with a wrong id would open nothing, or a tenant that is created later with this id. The lock makes a concurrent
 * deletion of a tenant commit either first, so that it is noticed here, or later, so that it removes the id from the key.
 */
async function refuseUnknownTenants(transaction: EntityManager, ids: readonly string[]): Promise<void> {
  const known = await tenantsKeptFromDeletion(transaction, ids);
  if (known.length !== ids.length) {
    throw notValid('tenant_ids', 'tenant_ids must be ids of tenants that exist');
  }
}

function rightsOf(dto: CreateSysadminKeyRequest) {
  const tenantIds = dto.tenant_ids?.map((id) => id.toLowerCase()) ?? null;
  return {
    scopes: scopes.filter((scope) => dto.scopes.includes(scope)),
    tenantIds: tenantIds && [...new Set(tenantIds)].sort(),
  };
}

function auditedSysadminKey(row: SysadminKey) {
  return { ...auditedKey(row), scopes: row.scopes, tenant_ids: row.tenantIds };
}
