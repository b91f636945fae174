import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { type Secret } from '#crypto';
import { type ChangedBy, Problem, type SysadminGrant, type TenantGrant } from '#http';
import { waitAtStop } from '#database';
import { lockedTenant, TenantsService } from '#tenants';
import { issueKey } from './issued-key';
import { expiryOf, keyNotFound } from './key-fields';
import { LastUse } from './last-use';
import { MinuteLimits } from './minute-window';
import { validKey } from './stored-keys';
import { TenantKey } from './issued-keys.entity';
import { type CreateTenantKeyRequest } from './tenant-keys.dto';

/** The keys of tenants' applications. Nothing of them is kept between two calls but how many there were. */
@Injectable()
export class TenantKeysService implements OnApplicationShutdown {
  readonly #limits = new MinuteLimits();
  readonly #lastUse = new LastUse((id) =>
    this.dataSource.query(
      `update tenant_keys set last_used_at = now()
       where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
      [id],
    ),
  );

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly tenants: TenantsService,
    private readonly audit: AuditLogService,
    @InjectConfig() private readonly config: Config,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await waitAtStop(this.#lastUse.written(), this.config);
  }

  /** @returns the row, and the key: the only time that it is seen */
  async create(
    tenantId: string,
    dto: CreateTenantKeyRequest,
    grantor: SysadminGrant,
    by: ChangedBy,
  ): Promise<{ row: TenantKey; key: Secret }> {
    const expiresAt = expiryOf(dto.expires_at);
    refuseLongerLife(expiresAt, grantor);
    const issued = issueKey('tk');
    const row = Object.assign(new TenantKey(), {
      id: issued.id,
      tenantId,
      name: dto.name,
      keyHash: issued.hash,
      keyHint: issued.text.mask,
      allowedModels: dto.allowed_models ?? null,
      requestsPerMinute: dto.requests_per_minute ?? null,
      tokensPerMinute: dto.tokens_per_minute ?? null,
      expiresAt,
      lastUsedAt: null,
      createdAt: new Date(),
    });
    await this.dataSource.transaction(async (transaction) => {
      await lockedTenant(transaction, tenantId);
      await transaction.insert(TenantKey, row);
      const details = { after: shown(row) };
      await this.audit.record(transaction, by, { action: 'key.create', tenantId, details });
    });
    return { row, key: issued.text };
  }

  /** Newest first; also those that expired. */
  async list(tenantId: string): Promise<TenantKey[]> {
    await this.tenants.find(tenantId);
    return this.dataSource
      .getRepository(TenantKey)
      .find({ where: { tenantId }, order: { createdAt: 'DESC', id: 'ASC' } });
  }

  async find(tenantId: string, id: string): Promise<TenantKey> {
    await this.tenants.find(tenantId);
    const row = await this.dataSource.getRepository(TenantKey).findOneBy({ tenantId, id });
    if (!row) throw keyNotFound();
    return row;
  }

  /** From the commit on it opens nothing, in any process. @returns false when there was none */
  async remove(tenantId: string, id: string, by: ChangedBy): Promise<boolean> {
    return this.dataSource.transaction(async (transaction) => {
      await lockedTenant(transaction, tenantId);
      const before = await transaction.findOneBy(TenantKey, { tenantId, id });
      if (!before) return false;
      await transaction.delete(TenantKey, { tenantId, id });
      const details = { before: shown(before) };
      await this.audit.record(transaction, by, { action: 'key.delete', tenantId, details });
      return true;
    });
  }

  /** What a presented key opens now. A text that is no key, or a mistyped one, is not looked up. */
  async grant(presented: string): Promise<TenantGrant | undefined> {
    const row = await validKey(this.dataSource, TenantKey, 'tk', presented);
    if (row === undefined) return undefined;
    this.#lastUse.note(row.id, row.lastUsedAt);
    const { id: tenantKeyId, tenantId, allowedModels, requestsPerMinute, tokensPerMinute } = row;
    return { kind: 'tenant', tenantKeyId, tenantId, allowedModels, requestsPerMinute, tokensPerMinute };
  }

  /** @throws Problem rate_limited */
  countRequest({ tenantKeyId, requestsPerMinute }: TenantGrant): void {
    if (requestsPerMinute === null) return;
    const seconds = this.#limits.take(tenantKeyId, requestsPerMinute, performance.now());
    if (seconds === undefined) return;
    throw new Problem('rate_limited', {
      detail: `This key may send ${requestsPerMinute} requests per minute, and has.`,
      hint: `Try again in ${seconds} s.`,
      retryAfter: String(seconds),
    });
  }
}

/** Grants never exceed the grantor: a key that expires makes none that lives longer. */
function refuseLongerLife(expiresAt: Date | null, grantor: SysadminGrant): void {
  if (grantor.kind === 'super' || grantor.expiresAt === null) return;
  if (expiresAt !== null && expiresAt <= grantor.expiresAt) return;
  throw new Problem('forbidden', {
    detail: 'A key must not outlive the key that makes it.',
    hint: `Give expires_at, at most ${grantor.expiresAt.toISOString()}.`,
  });
}

/** What the audit may say of a key. */
function shown(row: TenantKey) {
  return {
    id: row.id,
    name: row.name,
    mask: row.keyHint,
    allowed_models: row.allowedModels,
    requests_per_minute: row.requestsPerMinute,
    tokens_per_minute: row.tokensPerMinute,
    expires_at: row.expiresAt?.toISOString() ?? null,
  };
}
