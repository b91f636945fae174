import { timingSafeEqual } from 'node:crypto';
import { type DataSource } from 'typeorm';
import { type KeyKind, parseKey } from './issued-key';
import { type SysadminKey } from './sysadmin-key.entity';
import { type TenantKey } from './issued-keys.entity';

/**
 * The row of a presented key that is valid now. A text that is no key of this kind, or a mistyped one, is not looked up.
 * @param entity of the table of this kind; the other has none of its keys
 */
export async function validKey<Key extends TenantKey | SysadminKey>(
  dataSource: DataSource,
  entity: new () => Key,
  kind: KeyKind,
  presented: string,
): Promise<Key | undefined> {
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
