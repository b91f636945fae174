import { isDeepStrictEqual } from 'node:util';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager, In } from 'typeorm';
import { AuditLogService } from '#audit';
import { type CachedRows, CacheService, ChangesService } from '#cache';
import { type Config, InjectConfig } from '#config';
import { type Secret } from '#crypto';
import { type ChangedBy, Problem, type SysadminGrant, type TenantGrant } from '#http';
import { waitAtStop } from '#database';
import { lockedTenant, TenantsService } from '#tenants';
import { TenantKey } from './issued-keys.entity';
import { expiryOf } from './key-fields';
import { lockWindows } from './limits/common-windows';
import { KeyLimitsService } from './limits/key-limits.service';
import { type Outcome } from './limits/shared-limits';
import { isKeyOf, parseKey } from './issued-key';
import { auditedKey, deleteKey, findKey, LastUse, listKeys, newKey } from './stored-keys';
import { type CreateTenantKeyRequest } from './tenant-keys.dto';

/** A stored key as calls need it. */
interface CachedKey {
  readonly grant: TenantGrant;
  /** SHA-256 of the key, hexadecimal. */
  readonly hash: string;
  /** In milliseconds since 1970, by the time of the database; null: it does not expire. */
  readonly expiresMs: number | null;
}

/** An estimate for a key without allowed models. */
const KEY_BYTES = 1000;
/**
 * How old a grant may be when it is used while nothing is cached. A body may take minutes to arrive, and its key may be revoked in
 * that time; most requests still need only one look-up.
 */
const MAXIMUM_GRANT_AGE_MS = 1000;

/** The keys of tenants' applications. */
@Injectable()
export class TenantKeysService implements OnApplicationShutdown {
  readonly #lastUse: LastUse;
  readonly #cached: CachedRows<CachedKey | null>;
  #modelWarnings: (names: readonly string[]) => string[] = () => [];

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly tenants: TenantsService,
    private readonly audit: AuditLogService,
    private readonly changes: ChangesService,
    private readonly cache: CacheService,
    private readonly limits: KeyLimitsService,
    @InjectConfig() private readonly config: Config,
  ) {
    this.#lastUse = new LastUse(dataSource, TenantKey);
    this.#cached = cache.rows<CachedKey | null>({ name: 'tenant key', load: (id) => this.load(id) });
  }

  async onApplicationShutdown(): Promise<void> {
    await waitAtStop(this.#lastUse.written(), this.config);
  }

  /** Registers what says whether the models of a key exist: the catalogue, which this lib does not know. */
  checkModelsWith(warningsOf: (names: readonly string[]) => string[]): void {
    this.#modelWarnings = warningsOf;
  }

  /** Warnings about the models of a key. They do not make it invalid. */
  warningsOf({ allowedModels }: TenantKey): string[] {
    return allowedModels === null ? [] : this.#modelWarnings(allowedModels);
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
    const row = Object.assign(new TenantKey(), columns, { tenantId, ...limitsOf(dto) });
    const create = async (transaction: EntityManager) => {
      await lockedTenant(transaction, tenantId);
      await transaction.insert(TenantKey, row);
      const details = { after: auditedTenantKey(row) };
      await this.audit.record(transaction, by, { action: 'key.create', tenantId, details });
    };
    await this.changes.transaction([tenantId], create, by);
    return { row, key };
  }

  /**
   * Gives a key exactly this name, expiry and limits. What is the same already is neither written nor audited.
   * @throws Problem key_not_found
   */
  async update(
    tenantId: string,
    id: string,
    dto: CreateTenantKeyRequest,
    grantor: SysadminGrant,
    by: ChangedBy,
  ): Promise<TenantKey> {
    const update = async (transaction: EntityManager) => {
      await lockedTenant(transaction, tenantId);
      const before = await findKey(transaction, TenantKey, { tenantId, id });
      const expiresAt = expiryOf(dto.expires_at, before.expiresAt);
      if (expiresAt?.getTime() !== before.expiresAt?.getTime()) refuseLongerLife(expiresAt, grantor);
      const columns = { name: dto.name, expiresAt, ...limitsOf(dto) };
      const after = Object.assign(new TenantKey(), before, columns);
      const details = { before: auditedTenantKey(before), after: auditedTenantKey(after) };
      if (isDeepStrictEqual(details.before, details.after)) return before;
      await transaction.update(TenantKey, { tenantId, id }, columns);
      await this.audit.record(transaction, by, { action: 'key.update', tenantId, details });
      return after;
    };
    return this.changes.transaction([tenantId], update, by);
  }

  /** Newest first, with expired keys. */
  async list(tenantId: string): Promise<TenantKey[]> {
    await this.tenants.find(tenantId);
    return listKeys(this.dataSource, TenantKey, { tenantId });
  }

  /** The keys of some tenants, by the tenant's id. */
  async ofTenants(
    tenantIds: readonly string[],
    source: DataSource | EntityManager = this.dataSource,
  ): Promise<Map<string, TenantKey[]>> {
    const keys = await listKeys(source, TenantKey, { tenantId: In(tenantIds) });
    const byTenant = new Map<string, TenantKey[]>(tenantIds.map((id) => [id, []]));
    for (const key of keys) byTenant.get(key.tenantId)?.push(key);
    return byTenant;
  }

  async find(tenantId: string, id: string): Promise<TenantKey> {
    await this.tenants.find(tenantId);
    return findKey(this.dataSource, TenantKey, { tenantId, id });
  }

  /** When this resolves, the key opens nothing in any process. @returns false when there was none */
  async remove(tenantId: string, id: string, by: ChangedBy): Promise<boolean> {
    const remove = async (transaction: EntityManager) => {
      await lockedTenant(transaction, tenantId);
      await lockWindows(transaction, tenantId, id);
      const before = await deleteKey(transaction, TenantKey, { tenantId, id });
      if (!before) return false;
      const details = { before: auditedTenantKey(before) };
      await this.audit.record(transaction, by, { action: 'key.delete', tenantId, details });
      return true;
    };
    return this.changes.transaction([tenantId], remove, by);
  }

  /** What a presented key opens now. A text that is not a tenant key, or a mistyped one, is not looked up. */
  async grant(presented: string): Promise<TenantGrant | undefined> {
    const parsed = parseKey('tk', presented);
    const key = parsed && (await this.#cached.find(parsed.id));
    if (!key || !isKeyOf(parsed, key.hash) || this.hasExpired(key)) return undefined;
    this.#lastUse.note(parsed.id);
    return key.grant;
  }

  /**
   * Whether a grant that was found for this request can still be used.
   * @param ageMs how long ago it was found
   */
  isCurrent(grant: TenantGrant, ageMs: number): boolean {
    if (!this.cache.isLeased) return ageMs <= MAXIMUM_GRANT_AGE_MS;
    const key = this.#cached.peek(grant.tenantKeyId);
    return key?.grant === grant && !this.hasExpired(key);
  }

  /** By the database's time, which all processes share. */
  private hasExpired({ expiresMs }: CachedKey): boolean {
    return expiresMs !== null && expiresMs <= this.cache.databaseNow;
  }

  private async load(id: string) {
    const sent = this.cache.now();
    const { entities, raw } = await this.dataSource
      .createQueryBuilder(TenantKey, 'k')
      .addSelect('k.keyHash')
      // As numbers: SQL has times that a Date cannot hold.
      .addSelect('(extract(epoch from k.expires_at) * 1000)::float8', 'expires_ms')
      .addSelect('(extract(epoch from clock_timestamp()) * 1000)::float8', 'database_ms')
      .where('k.id = :id', { id })
      .getRawAndEntities<{ expires_ms: number | null; database_ms: number }>();
    const [row] = entities;
    const [times] = raw;
    if (row === undefined || times === undefined) return { value: null, tenantId: undefined, bytes: 0 };
    this.cache.observeDatabaseTime(times.database_ms, sent);
    const value = Object.freeze({ grant: asGrant(row), hash: row.keyHash, expiresMs: times.expires_ms });
    const bytes = KEY_BYTES + 100 * (row.allowedModels?.length ?? 0);
    return { value, tenantId: row.tenantId, bytes };
  }

  /**
   * Counts one request of the key.
   * @returns undefined when it is counted, else a promise that resolves when it is
   * @throws Problem rate_limited. The promise rejects with it as well
   */
  countRequest(grant: TenantGrant): Promise<void> | undefined {
    const { requestsPerMinute } = grant;
    if (requestsPerMinute === null) return undefined;
    const outcome = this.limits.requests.take(grant, requestsPerMinute);
    if (outcome instanceof Promise) return outcome.then(refuseAboveLimit);
    refuseAboveLimit(outcome);
    return undefined;
  }
}

/** @throws Problem rate_limited */
function refuseAboveLimit({ refusal }: Outcome): void {
  if (refusal === undefined) return;
  const { limit, part, seconds } = refusal;
  throw new Problem('rate_limited', {
    detail:
      part === undefined
        ? `This key has used up its limit of ${limit} requests per minute.`
        : `This key may send ${limit} requests per minute. While the database does not say what other processes use, this process admits ${part} of them, and they are used up.`,
    hint: `Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}

function asGrant({
  id,
  tenantId,
  allowedModels,
  requestsPerMinute,
  tokensPerMinute,
}: TenantKey): TenantGrant {
  return Object.freeze({
    kind: 'tenant',
    tenantKeyId: id,
    tenantId,
    allowedModels: allowedModels && Object.freeze(allowedModels),
    requestsPerMinute,
    tokensPerMinute,
  });
}

/** A key must not grant more than it has: an expiring key cannot create one that expires later. */
function refuseLongerLife(expiresAt: Date | null, grantor: SysadminGrant): void {
  if (grantor.kind === 'super' || grantor.expiresAt === null) return;
  if (expiresAt !== null && expiresAt <= grantor.expiresAt) return;
  throw new Problem('forbidden', {
    detail: 'A key must not outlive the key that creates it.',
    hint: `Set expires_at to ${grantor.expiresAt.toISOString()} or earlier.`,
  });
}

function limitsOf(dto: CreateTenantKeyRequest) {
  return {
    allowedModels: dto.allowed_models ?? null,
    requestsPerMinute: dto.requests_per_minute ?? null,
    tokensPerMinute: dto.tokens_per_minute ?? null,
  };
}

function auditedTenantKey(row: TenantKey) {
  return {
    ...auditedKey(row),
    allowed_models: row.allowedModels,
    requests_per_minute: row.requestsPerMinute,
    tokens_per_minute: row.tokensPerMinute,
  };
}
