import { createHmac } from 'node:crypto';
import { type DataSource, type EntityManager } from 'typeorm';
import { type Secret } from '#crypto';
import { type Scope, unauthenticatedSysadmin } from '#http';
import { type IssuedKey, isKeyOf, parseKey } from '../issued-key';
import { SysadminKey } from '../issued-keys.entity';
import { SysadminSession } from './sysadmin-session.entity';

// When a session ends, by the database's clock, which all processes share.

/** Without a request. */
export const idleMinutes = 30;
/** However much it is used. */
const absoluteHours = 12;
/**
 * The last use is written at most once a minute for all processes, and each process notes it at most once a minute. So a session
 * that is in use may have a time that is two minutes old.
 */
const noteMinutes = 2;
/** Of one sysadmin key, and of all super keys together. Another one ends the oldest. */
const maximumSessions = 100;

/**
 * Whether the session `s` is open, with the sysadmin key `k` from which it comes. Whether the super key from which a session comes is
 * still configured, only the process knows.
 */
const isOpen = `s.expires_at > now()
  and s.last_used_at > now() - interval '${idleMinutes + noteMinutes} minutes'
  and (s.sysadmin_key_id is null
    or (k.scopes @> s.scopes and (k.expires_at is null or k.expires_at > now())))`;

/** Where a new session comes from. */
export type SessionOrigin = { readonly sysadminKeyId: string } | { readonly superKey: string };

/** A new session, with what the cookie needs. */
export interface NewSession {
  readonly id: string;
  readonly token: Secret;
  readonly expiresAt: Date;
  readonly maxAgeSeconds: number;
}

/**
 * Shows whoever has the token which super key was exchanged, and shows nothing to anybody else: a weak super key cannot be guessed with
 * the database alone. The key of the HMAC is the secret part of the token. The whole token has 65 characters, and the HMAC would
 * replace a key of more than 64 by its SHA-256, which the row contains.
 */
export function proofOf(token: string, superKey: string): string {
  return createHmac('sha256', token.slice(token.lastIndexOf('_') + 1))
    .update(superKey)
    .digest('hex');
}

/** The open session of a token, with the row of its sysadmin key. A text that is no token is not looked up. */
export async function openSession(
  dataSource: DataSource,
  token: string,
): Promise<SysadminSession | undefined> {
  const parsed = parseKey('tkc', token);
  if (parsed === undefined) return undefined;
  const row = await dataSource
    .createQueryBuilder(SysadminSession, 's')
    .addSelect(['s.tokenHash', 's.keyProof'])
    .leftJoinAndMapOne('s.key', SysadminKey, 'k', 'k.id = s.sysadmin_key_id')
    .where('s.id = :id', { id: parsed.id })
    .andWhere(`(${isOpen})`)
    .getOne();
  return row && isKeyOf(parsed, row.tokenHash) ? row : undefined;
}

/**
 * Deletes what has ended, and the oldest sessions of the same origin above the limit, so that the table cannot grow.
 * @throws Problem unauthenticated when the sysadmin key was revoked or has expired meanwhile
 */
export async function insertSession(
  transaction: EntityManager,
  { id, text: token, hash }: IssuedKey,
  origin: SessionOrigin,
): Promise<NewSession> {
  const isSuper = 'superKey' in origin;
  const keyId = isSuper ? null : origin.sysadminKeyId;
  const key = keyId === null ? undefined : await keyKeptAsItIs(transaction, keyId);
  await deleteEnded(transaction);
  await deleteOldest(transaction, keyId);
  const [row] = await transaction.query<Pick<NewSession, 'expiresAt' | 'maxAgeSeconds'>[]>(
    `insert into sysadmin_sessions
       (id, token_hash, sysadmin_key_id, scopes, key_proof, created_at, last_used_at, expires_at)
     values ($1, $2, $3, $4, $5, now(), now(), least(now() + interval '${absoluteHours} hours', $6))
     returning expires_at as "expiresAt", ceil(extract(epoch from expires_at - now()))::integer as "maxAgeSeconds"`,
    [
      id,
      hash,
      keyId,
      key?.scopes ?? null,
      isSuper ? proofOf(token.expose(), origin.superKey) : null,
      key?.expires_at ?? null,
    ],
  );
  return { id, token, ...row! };
}

/** Ends the sessions of a key that has lost one of their scopes, so that they do not open again when the key gets it back. */
export async function deleteSessionsWithMore(
  transaction: EntityManager,
  keyId: string,
  scopes: readonly Scope[],
): Promise<void> {
  await transaction.query(
    'delete from sysadmin_sessions where sysadmin_key_id = $1 and not scopes <@ $2::text[]',
    [keyId, scopes],
  );
}

/** Rows that another transaction is changing are left to a later sign-in, so that nobody waits and nothing deadlocks. */
async function deleteEnded(transaction: EntityManager): Promise<void> {
  await transaction.query(
    `delete from sysadmin_sessions where id in (
       select s.id from sysadmin_sessions s left join sysadmin_keys k on k.id = s.sysadmin_key_id
       where (${isOpen}) is not true for update of s skip locked)`,
  );
}

/** Leaves room for one more. */
async function deleteOldest(transaction: EntityManager, keyId: string | null): Promise<void> {
  await transaction.query(
    `delete from sysadmin_sessions where id in (
       select id from sysadmin_sessions where id in (
         select id from sysadmin_sessions where sysadmin_key_id is not distinct from $1
         order by created_at desc, id offset ${maximumSessions - 1})
       for update skip locked)`,
    [keyId],
  );
}

/** The key cannot be changed or revoked before the end of the transaction, so that the session has its scopes and its expiry. */
async function keyKeptAsItIs(
  transaction: EntityManager,
  id: string,
): Promise<{ scopes: Scope[]; expires_at: Date | null }> {
  const [key] = await transaction.query<{ scopes: Scope[]; expires_at: Date | null }[]>(
    `select scopes, expires_at from sysadmin_keys
     where id = $1 and (expires_at is null or expires_at > now()) for key share`,
    [id],
  );
  if (key === undefined) throw unauthenticatedSysadmin();
  return key;
}
