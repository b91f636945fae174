import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { decrypt, encrypt, InvalidKey, InvalidToken, isKey } from './fernet';
import { Secret } from './secret';

const PREFIX = 'enc:fernet:v1:';

/** The encryption keys of this installation, each a Fernet key of 44 characters: `current` seals and opens, `previous` only open. */
export interface KeyRing {
  readonly current?: Secret;
  readonly previous: readonly Secret[];
}

/** Seals secrets for storage, opens them again, and signs the rows in which they are stored. */
@Injectable()
export class FernetService {
  readonly #keys = new Map<string, Secret>();
  readonly #derived = new Map<string, Buffer>();
  readonly #currentKeyId: string | undefined;

  /** @throws InvalidKey */
  constructor(ring: KeyRing) {
    if (ring.current !== undefined) this.#currentKeyId = this.#load(ring.current);
    for (const key of ring.previous) this.#load(key);
  }

  get currentKeyId(): string | undefined {
    return this.#currentKeyId;
  }

  /** The ids of all loaded keys, the current one first. */
  keyIds(): string[] {
    return [...this.#keys.keys()];
  }

  hasKey(encryptionKeyId: string): boolean {
    return this.#keys.has(encryptionKeyId);
  }

  /**
   * Returns `enc:fernet:v1:<token>`, made with the current key.
   * @throws NoCurrentKey; TypeError for a lone surrogate
   */
  encrypt(secret: Secret): { sealed: string; encryptionKeyId: string } {
    const encryptionKeyId = this.#currentKeyId;
    if (encryptionKeyId === undefined) throw new NoCurrentKey();
    return {
      sealed: PREFIX + encrypt(utf8(secret.expose()), this.#key(encryptionKeyId).expose()),
      encryptionKeyId,
    };
  }

  /**
   * Stored plaintext is refused and never returned as it is.
   * @throws NotSealed, KeyNotLoaded, InvalidToken
   */
  decrypt(sealed: string, encryptionKeyId: string): Secret {
    if (!this.isSealed(sealed)) throw new NotSealed();
    const bytes = decrypt(sealed.slice(PREFIX.length), this.#key(encryptionKeyId).expose());
    try {
      return new Secret(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    } catch {
      throw new InvalidToken();
    }
  }

  /** Whether the text has the prefix of a sealed text; only `decrypt` shows whether it is one. */
  isSealed(text: string): boolean {
    return text.startsWith(PREFIX);
  }

  /**
   * HMAC-SHA256 of the parts, as unpadded base64url. Each purpose has its own key (HKDF, RFC 5869), so that a MAC for one
   * purpose is not valid for another. The length in bytes precedes each part, so that two different lists of parts are
   * never the same message.
   * @throws KeyNotLoaded; TypeError for a lone surrogate
   */
  mac(encryptionKeyId: string, purpose: string, parts: readonly string[]): string {
    const hmac = createHmac('sha256', this.#derive(encryptionKeyId, purpose));
    for (const part of parts) {
      const bytes = utf8(part);
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(bytes.length));
      hmac.update(length).update(bytes);
    }
    return hmac.digest('base64url');
  }

  /** Compares in constant time. @throws like `mac` */
  verifyMac(encryptionKeyId: string, purpose: string, parts: readonly string[], mac: string): boolean {
    const expected = Buffer.from(this.mac(encryptionKeyId, purpose, parts));
    const given = Buffer.from(mac);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #load(key: Secret): string {
    if (!isKey(key.expose())) throw new InvalidKey();
    const encryptionKeyId = createHash('sha256')
      .update('tenkey key id')
      .update(bytesOf(key))
      .digest('hex')
      .slice(0, 12);
    if (!this.#keys.has(encryptionKeyId)) this.#keys.set(encryptionKeyId, key);
    return encryptionKeyId;
  }

  #key(encryptionKeyId: string): Secret {
    const key = this.#keys.get(encryptionKeyId);
    if (key === undefined) throw new KeyNotLoaded(encryptionKeyId);
    return key;
  }

  #derive(encryptionKeyId: string, purpose: string): Buffer {
    const name = `${encryptionKeyId} ${purpose}`;
    const cached = this.#derived.get(name);
    if (cached !== undefined) return cached;
    const derived = Buffer.from(hkdfSync('sha256', bytesOf(this.#key(encryptionKeyId)), '', purpose, 32));
    this.#derived.set(name, derived);
    return derived;
  }
}

/** The row was sealed with an encryption key that is not configured. */
export class KeyNotLoaded extends Error {
  override readonly name = 'KeyNotLoaded';
  constructor(readonly encryptionKeyId: string) {
    super(`encryption key ${encryptionKeyId} is not loaded`);
  }
}

export class NoCurrentKey extends Error {
  override readonly name = 'NoCurrentKey';
  constructor() {
    super('no encryption key is configured');
  }
}

export class NotSealed extends Error {
  override readonly name = 'NotSealed';
  constructor() {
    super(`the stored value does not begin with ${PREFIX}`);
  }
}

function bytesOf(key: Secret): Buffer {
  return Buffer.from(key.expose(), 'base64url');
}

/** Refuses lone surrogates: Node encodes each as U+FFFD, so that different texts would become equal and a key would change. */
function utf8(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.toString('utf8') !== text) throw new TypeError('the text is not well-formed Unicode');
  return bytes;
}

/** JSON with sorted keys at every level, so that it can be signed: PostgreSQL's jsonb does not keep the order. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
