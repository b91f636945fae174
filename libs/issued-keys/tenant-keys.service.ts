import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { type Secret } from '#crypto';
import { type ChangedBy, Problem, type SysadminGrant, type TenantGrant } from '#http';
import { waitAtStop } from '#database';
import { lockedTenant, TenantsService } from '#tenants';
import { TenantKey } from './issued-keys.entity';
import { expiryOf } from './key-fields';
import { MinuteLimits } from './minute-window';
import { auditedKey, deleteKey, findKey, LastUse, listKeys, newKey, validKey } from './stored-keys';
import { type CreateTenantKeyRequest } from './tenant-keys.dto';

/** The keys of tenants' applications. Between two calls only the number of requests per key is kept in memory. */
@Injectable()
export class TenantKeysService implements OnApplicationShutdown {
  readonly #limits = new MinuteLimits();
  readonly #lastUse: LastUse;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly tenants: TenantsService,
    private readonly audit: AuditLogService,
    @InjectConfig() private readonly config: Config,
  ) {
    this.#lastUse = new LastUse(dataSource, TenantKey);
  }

  async onApplicationShutdown(): Promise<void> {
    await waitAtStop(this.#lastUse.written(), this.config);
  }

  /** @returns the row, and the key, which is not kept anywhere */
  async create(
    tenantId: string,
    dto: CreateTenantKeyRequest,
    grantor: SysadminGrant,
    by: ChangedBy,
  ): Promise<{ row: TenantKey; key: Secret }> {
    const expiresAt = expiryOf(dto.expires_at);
    refuseLongerLife(expiresAt, grantor);
    const { key, columns } = newKey('tk', dto.name, expiresAt);
    const row = Object.assign(new TenantKey(), columns, {
      tenantId,
      allowedModels: dto.allowed_models ?? null,
      requestsPerMinute: dto.requests_per_minute ?? null,
      tokensPerMinute: dto.tokens_per_minute ?? null,
    });
    await this.dataSource.transaction(async (transaction) => {
      await lockedTenant(transaction, tenantId);
      await transaction.insert(TenantKey, row);
      const details = { after: auditedTenantKey(row) };
      await this.audit.record(transaction, by, { action: 'key.create', tenantId, details });
    });
    return { row, key };
  }

  /** Newest first, with expired keys. */
  async list(tenantId: string): Promise<TenantKey[]> {
    await this.tenants.find(tenantId);
    return listKeys(this.dataSource, TenantKey, { tenantId });
  }

  async find(tenantId: string, id: string): Promise<TenantKey> {
    await this.tenants.find(tenantId);
    return findKey(this.dataSource, TenantKey, { tenantId, id });
  }

  /** After the commit the key opens nothing in any process. @returns false when there was none */
  async remove(tenantId: string, id: string, by: ChangedBy): Promise<boolean> {
    return this.dataSource.transaction(async (transaction) => {
      await lockedTenant(transaction, tenantId);
      const before = await deleteKey(transaction, TenantKey, { tenantId, id });
      if (!before) return false;
      const details = { before: auditedTenantKey(before) };
      await this.audit.record(transaction, by, { action: 'key.delete', tenantId, details });
      return true;
    });
  }

  /** What a presented key opens now. A text that is not a tenant key, or a mistyped one, is not looked up. */
  async grant(presented: string): Promise<TenantGrant | undefined> {
    const row = await validKey(this.dataSource, TenantKey, 'tk', presented);
    if (row === undefined) return undefined;
    this.#lastUse.note(row);
    const { id: tenantKeyId, tenantId, allowedModels, requestsPerMinute, tokensPerMinute } = row;
    return { kind: 'tenant', tenantKeyId, tenantId, allowedModels, requestsPerMinute, tokensPerMinute };
  }

  /** @throws Problem rate_limited */
  countRequest({ tenantKeyId, requestsPerMinute }: TenantGrant): void {
    if (requestsPerMinute === null) return;
    const seconds = this.#limits.take(tenantKeyId, requestsPerMinute, performance.now());
    if (seconds === undefined) return;
    throw new Problem('rate_limited', {
      detail: `This key may send ${requestsPerMinute} requests per minute, and has sent them.`,
      hint: `Try again in ${seconds} s.`,
      retryAfter: String(seconds),
    });
  }
}

/** A key must not grant more than it has: an expiring key cannot create one that expires later. */
function refuseLongerLife(expiresAt: Date | null, grantor: SysadminGrant): void {
  if (grantor.kind === 'super' || grantor.expiresAt === null) return;
  if (expiresAt !== null && expiresAt <= grantor.expiresAt) return;
  throw new Problem('forbidden', {
    detail: 'A key must not outlive the key that creates it.',
    hint: `Give expires_at, at most ${grantor.expiresAt.toISOString()}.`,
  });
}

function auditedTenantKey(row: TenantKey) {
  return {
    ...auditedKey(row),
    allowed_models: row.allowedModels,
    requests_per_minute: row.requestsPerMinute,
    tokens_per_minute: row.tokensPerMinute,
  };
}
