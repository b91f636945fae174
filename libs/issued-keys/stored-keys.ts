import { timingSafeEqual } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type DataSource, type EntityManager, type FindOptionsOrder, type FindOptionsWhere } from 'typeorm';
import { type Secret } from '#crypto';
import { Problem } from '#http';
import { issueKey, type KeyKind, parseKey } from './issued-key';
import { type SysadminKey, type TenantKey } from './issued-keys.entity';

/** What tenant keys and sysadmin keys have in common in the database: the functions here take the entity of either table. */
type KeyRow = TenantKey | SysadminKey;
type KeyEntity<Row extends KeyRow> = new () => Row;

/** How often the time of a key's last use is written, at most. */
const MINUTE_MS = 60_000;

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
  const isTheKey = row && timingSafeEqual(Buffer.from(row.keyHash), Buffer.from(parsed.hash));
  return isTheKey ? row : undefined;
}

/** Newest first, with expired keys. */
export function listKeys<Row extends KeyRow>(
  dataSource: DataSource,
  entity: KeyEntity<Row>,
  where: FindOptionsWhere<Row> = {},
): Promise<Row[]> {
  const order = { createdAt: 'DESC', id: 'ASC' } as FindOptionsOrder<Row>;
  return dataSource.getRepository(entity).find({ where, order });
}

/** @throws Problem key_not_found */
export async function findKey<Row extends KeyRow>(
  dataSource: DataSource,
  entity: KeyEntity<Row>,
  where: FindOptionsWhere<Row>,
): Promise<Row> {
  const row = await dataSource.getRepository(entity).findOneBy(where);
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
export async function tenantKeysDeletedWith(transaction: EntityManager, tenantId: string) {
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
export async function removeTenantFromSysadminKeys(transaction: EntityManager, tenantId: string) {
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

/**
 * Notes when keys were used: at most once a minute for each key, one write at a time. The request does not wait for the write,
 * and does not fail with it.
 */
export class LastUse {
  readonly #log = new Logger('access');
  /** Keys whose time is being written. */
  readonly #waiting = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly entity: KeyEntity<KeyRow>,
  ) {}

  note({ id, lastUsedAt }: KeyRow): void {
    const isRecent = lastUsedAt !== null && Date.now() - lastUsedAt.getTime() < MINUTE_MS;
    if (isRecent || this.#waiting.has(id)) return;
    this.#waiting.add(id);
    this.#writing = this.#writing
      .then(() => this.#write(id))
      .catch((error: unknown) => {
        const cause = error instanceof Error ? error.name : 'unknown';
        this.#log.warn(`the last use of key ${id} was not noted: ${cause}`);
      })
      .then(() => void this.#waiting.delete(id));
  }

  /** Resolves when nothing is left to write. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** Unless another process has within the minute. */
  async #write(id: string): Promise<void> {
    await this.dataSource
      .createQueryBuilder()
      .update(this.entity)
      .set({ lastUsedAt: () => 'now()' })
      .where("id = :id and (last_used_at is null or last_used_at < now() - interval '1 minute')", { id })
      .execute();
  }
}
