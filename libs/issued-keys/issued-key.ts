import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Secret } from '#crypto';

/**
 * The keys that Tenkey issues, as text:
 *
 *     tk_<id>_<secret><checksum>      a tenant key: opens /v1 for one tenant
 *     tks_<id>_<secret><checksum>     a scoped sysadmin key
 *     tkc_<id>_<secret><checksum>     the token of a session, which the cookie of the console holds
 *
 * - id: 11 characters, 64 random bits. The key's row is found by it. Lists and logs show it; it opens nothing.
 * - secret: 43 characters, 256 random bits.
 * - checksum: 6 characters, CRC-32 of everything before it. A mistyped or truncated key is recognised without a look-up, and
 *   a scanner for leaked secrets can tell a key from a text that looks like one.
 *
 * All three are base62 (0-9 A-Z a-z), most significant digit first, padded with 0. As a pattern:
 * `\btk[sc]?_[0-9A-Za-z]{11}_[0-9A-Za-z]{49}\b`. GitHub has used this format since 2021:
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
export type KeyKind = 'tk' | 'tks' | 'tkc';

/** A new key. The text is shown once and not kept. */
export interface IssuedKey {
  readonly id: string;
  readonly text: Secret;
  /** SHA-256 of the text, hexadecimal. A slow hash is for passwords; 256 random bits cannot be guessed. */
  readonly hash: string;
}

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const length = { id: 11, secret: 43, checksum: 6 } as const;
const pattern = /^(tk[sc]?)_([0-9A-Za-z]{11})_[0-9A-Za-z]{49}$/;

export const keyIdPattern = /^[0-9A-Za-z]{11}$/;

export function issueKey(kind: KeyKind): IssuedKey {
  const id = base62(randomBytes(8), length.id);
  const body = `${prefixOf(kind, id)}_${base62(randomBytes(32), length.secret)}`;
  const text = body + checksumOf(body);
  return { id, text: new Secret(text), hash: hashOf(text) };
}

/** The part of a key that lists show: it tells keys apart and opens nothing. */
export function prefixOf(kind: KeyKind, id: string): string {
  return `${kind}_${id}`;
}

/** @returns the key's id and hash; undefined for a text that is not a key of this kind or was mistyped */
export function parseKey(kind: KeyKind, text: string): { id: string; hash: string } | undefined {
  const match = pattern.exec(text);
  if (match?.[1] !== kind || match[2] === undefined) return undefined;
  const body = text.slice(0, -length.checksum);
  return text === body + checksumOf(body) ? { id: match[2], hash: hashOf(text) } : undefined;
}

/** Whether a text is the token of a session, open or not. */
export function isSessionToken(text: string | undefined): boolean {
  return text !== undefined && parseKey('tkc', text) !== undefined;
}

/** Whether the stored hash is that of the key. */
export function isKeyOf(parsed: { readonly hash: string }, storedHash: string): boolean {
  return isSameDigest(storedHash, parsed.hash);
}

/** Compares in constant time. */
export function isSameDigest(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

/** What the audit calls each kind. */
const kindNames: Readonly<Record<KeyKind, string>> = {
  tk: 'tenant-key',
  tks: 'sysadmin-key',
  tkc: 'session',
};

/**
 * Kind and id, as the audit writes them, of a text with the form of a key. The text may be forged by a client that knows only
 * the id, so this shows which key was named and does not prove that the client has it.
 */
export function keyNameOf(text: string): string | undefined {
  const kind = text.slice(0, text.indexOf('_'));
  if (!isKeyKind(kind)) return undefined;
  const parsed = parseKey(kind, text);
  return parsed && `${kindNames[kind]} ${parsed.id}`;
}

function isKeyKind(text: string): text is KeyKind {
  return Object.hasOwn(kindNames, text);
}

function hashOf(text: string): string {
  return hash('sha256', text);
}

function checksumOf(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return base62(bytes, length.checksum);
}

/** A number's base62 digits. `width` must be enough for every number of that many bytes. */
function base62(bytes: Buffer, width: number): string {
  const rest = [...bytes];
  let text = '';
  for (let place = 0; place < width; place += 1) {
    // Long division, one byte after the other: a number of 32 bytes is too large for a double, and a BigInt is slow.
    let remainder = 0;
    for (let at = 0; at < rest.length; at += 1) {
      const part = remainder * 256 + rest[at]!;
      rest[at] = Math.floor(part / 62);
      remainder = part % 62;
    }
    text = digits.charAt(remainder) + text;
  }
  return text;
}
