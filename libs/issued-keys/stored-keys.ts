import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type DataSource, type EntityManager, type FindOptionsOrder, type FindOptionsWhere } from 'typeorm';
import { type Secret } from '#crypto';
import { Problem } from '#http';
import { type TenantRemoval } from '#tenants';
import { isKeyOf, issueKey, type KeyKind, parseKey } from './issued-key';
import { lockWindows } from './limits/common-windows';
import { type SysadminKey, type TenantKey } from './issued-keys.entity';

/** What tenant keys and sysadmin keys have in common in the database: the functions here take the entity of either table. */
type KeyRow = TenantKey | SysadminKey;
type KeyEntity<Row extends KeyRow> = new () => Row;

/** How often the time of a key's last use is written, at most. */
const MINUTE_MS = 60_000;
const FLUSH_MS = 1000;

/** A new key, and the columns that every row of a new key has. */
export function newKey(
  kind: KeyKind,
  name: string,
  expiresAt: Date | null,
): { key: Secret; columns: NewColumns } {
  const { id, text: key, hash: keyHash } = issueKey(kind);
  return {
    key,
    columns: { id, name, keyHash, mask: key.mask, expiresAt, lastUsedAt: null, createdAt: new Date() },
  };
}

type NewColumns = Pick<KeyRow, 'id' | 'name' | 'keyHash' | 'mask' | 'expiresAt' | 'lastUsedAt' | 'createdAt'>;

/**
 * The row of a presented key that is valid now. A text that is not a key of this kind, or a mistyped one, is not looked up.
 * @param entity of the table of this kind, which holds no keys of the other kind
 */
export async function validKey<Row extends KeyRow>(
  dataSource: DataSource,
  entity: KeyEntity<Row>,
  kind: KeyKind,
  presented: string,
): Promise<Row | undefined> {
  const parsed = parseKey(kind, presented);
  if (parsed === undefined) return undefined;
  const row = await dataSource
    .createQueryBuilder(entity, 'k')
    .addSelect('k.keyHash')
    .where('k.id = :id', { id: parsed.id })
    // By the database's clock, which all processes share.
    .andWhere('(k.expires_at is null or k.expires_at > now())')
    .getOne();
  return row && isKeyOf(parsed, row.keyHash) ? row : undefined;
}

/** Newest first, with expired keys. */
export function listKeys<Row extends KeyRow>(
  source: DataSource | EntityManager,
  entity: KeyEntity<Row>,
  where: FindOptionsWhere<Row> = {},
): Promise<Row[]> {
  const order = { createdAt: 'DESC', id: 'ASC' } as FindOptionsOrder<Row>;
  return source.getRepository(entity).find({ where, order });
}

/** @throws Problem key_not_found */
export async function findKey<Row extends KeyRow>(
  source: DataSource | EntityManager,
  entity: KeyEntity<Row>,
  where: FindOptionsWhere<Row>,
): Promise<Row> {
  const row = await source.getRepository(entity).findOneBy(where);
  if (!row) throw new Problem('key_not_found', { detail: 'There is no key with this id.' });
  return row;
}

/** @returns the deleted row; undefined when there was none, or when another transaction deleted it */
export async function deleteKey<Row extends KeyRow>(
  transaction: EntityManager,
  entity: KeyEntity<Row>,
  where: FindOptionsWhere<Row>,
): Promise<Row | undefined> {
  const row = await transaction.findOneBy(entity, where);
  if (!row) return undefined;
  const { affected } = await transaction.delete(entity, where);
  return affected === 1 ? row : undefined;
}

/** What the audit shows of a key of either kind. */
export function auditedKey(row: KeyRow) {
  return {
    id: row.id,
    name: row.name,
    mask: row.mask,
    expires_at: row.expiresAt?.toISOString() ?? null,
  };
}

/** What a tenant's deletion deletes here through a foreign key, for its audit event. */
async function tenantKeysDeletedWith(transaction: EntityManager, tenantId: string) {
  await lockWindows(transaction, tenantId);
  const keys = await transaction.query<object[]>(
    'select id, name, key_hint as mask from tenant_keys where tenant_id = $1 order by id',
    [tenantId],
  );
  return { keys };
}

/**
 * Removes a deleted tenant from the sysadmin keys that were limited to it, so that they do not open another one that gets the
 * same id. Called after the deletion, which has waited for transactions that create such a key.
 */
async function removeTenantFromSysadminKeys(transaction: EntityManager, tenantId: string) {
  const sysadminKeys = await transaction.query<object[]>(
    'select id, name, key_hint as mask from sysadmin_keys where $1 = any(tenant_ids) order by id for update',
    [tenantId],
  );
  await transaction.query(
    'update sysadmin_keys set tenant_ids = array_remove(tenant_ids, $1::uuid) where $1 = any(tenant_ids)',
    [tenantId],
  );
  return { sysadmin_keys: sysadminKeys };
}

export const issuedKeyRemoval: TenantRemoval = {
  before: tenantKeysDeletedWith,
  after: removeTenantFromSysadminKeys,
};

/**
 * Notes when keys and sessions were used: at most once a minute for each. The times are written once a second, in one statement that no
 * request waits for or fails with.
 */
export class LastUse {
  readonly #log = new Logger('access');
  /** When each was noted last, on the monotonic clock in milliseconds. Those that were used least recently are forgotten. */
  readonly #notedAt = new LRUCache<string, number>({ max: 50_000 });
  readonly #pending = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly entity: new () => { id: string; lastUsedAt: Date | null },
    /** What a row of the table is, for the log. */
    private readonly noun = 'key',
  ) {}

  note(id: string): void {
    const now = performance.now();
    const notedAt = this.#notedAt.get(id);
    if (notedAt !== undefined && now - notedAt < MINUTE_MS) return;
    this.#notedAt.set(id, now);
    this.#pending.add(id);
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
  }

  /** Writes what is left. Resolves when it is written. */
  async written(): Promise<void> {
    this.#flush();
    await this.#writing;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ids = [...this.#pending];
    this.#pending.clear();
    if (ids.length === 0) return;
    this.#writing = this.#writing
      .then(() => this.#write(ids))
      .catch((error: unknown) => {
        // The next use notes it again.
        for (const id of ids) this.#notedAt.delete(id);
        const cause = error instanceof Error ? error.name : 'unknown';
        const rows = ids.length === 1 ? `${this.noun} ${ids[0]}` : `${ids.length} ${this.noun}s`;
        this.#log.warn(`the last use of ${rows} was not noted: ${cause}`);
      });
  }

  /** Skips those that another process has noted within the minute, or is noting now. */
  async #write(ids: readonly string[]): Promise<void> {
    const { tableName } = this.dataSource.getMetadata(this.entity);
    await this.dataSource.query(
      `update ${tableName} set last_used_at = now() where id in (
         select id from ${tableName}
         where id = any($1) and (last_used_at is null or last_used_at < now() - interval '1 minute')
         for update skip locked)`,
      [ids],
    );
  }
}
