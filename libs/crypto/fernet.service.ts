import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  encrypt,
  halvesOf,
  InvalidKey,
  InvalidToken,
  isKey,
  type KeyHalves,
  open,
  type VerifiedToken,
  verify,
} from './fernet';
import { Secret } from './secret';

/** What every sealed text begins with. */
export const SEALED_PREFIX = 'enc:fernet:v1:';

/** The encryption keys of this installation, each a Fernet key of 44 characters: `current` is ENCRYPTION_KEY, `previous` are those before it. */
export interface KeyRing {
  readonly current?: Secret;
  readonly previous: readonly Secret[];
}

/**
 * What Tenkey signs for good: events and receipts are verified long after the encryption key that they were signed under was
 * replaced. Each purpose has a key of its own, derived from the encryption key. The names never change.
 */
export const signingPurposes = { audit: 'tenkey audit chain v1', receipt: 'tenkey receipt v1' } as const;

/** Seals secrets for storage, opens them again, and signs the rows in which they are stored. */
@Injectable()
export class FernetService {
  readonly #keys = new Map<string, Secret>();
  readonly #halves = new Map<string, KeyHalves>();
  readonly #derived = new Map<string, Buffer>();
  readonly #ownKeyId: string | undefined;
  #currentKeyId: string | undefined;

  /** @throws InvalidKey */
  constructor(ring: KeyRing) {
    if (ring.current !== undefined) this.#ownKeyId = this.#load(ring.current);
    this.#currentKeyId = this.#ownKeyId;
    for (const key of ring.previous) this.#load(key);
  }

  /** The key in ENCRYPTION_KEY. */
  get ownKeyId(): string | undefined {
    return this.#ownKeyId;
  }

  /** The key under which audit events and receipts are signed: the one in ENCRYPTION_KEY, unless the database names another. */
  get currentKeyId(): string | undefined {
    return this.#currentKeyId;
  }

  /** @param encryptionKeyId a loaded key, which becomes the current one */
  signUnder(encryptionKeyId: string): void {
    this.#key(encryptionKeyId);
    this.#currentKeyId = encryptionKeyId;
  }

  /** The ids of all loaded keys, the current one first. */
  keyIds(): string[] {
    return [...this.#keys.keys()];
  }

  hasKey(encryptionKeyId: string): boolean {
    return this.#keys.has(encryptionKeyId);
  }

  /**
   * Returns `enc:fernet:v1:<token>`.
   * @param encryptionKeyId the key that seals; by default the current one
   * @throws NoCurrentKey, KeyNotLoaded; TypeError for a lone surrogate
   */
  encrypt(secret: Secret, encryptionKeyId = this.#currentKeyId): { sealed: string; encryptionKeyId: string } {
    if (encryptionKeyId === undefined) throw new NoCurrentKey();
    return {
      sealed: SEALED_PREFIX + encrypt(wellFormed(secret.expose()), this.#key(encryptionKeyId).expose()),
      encryptionKeyId,
    };
  }

  /**
   * Stored plaintext is refused and never returned as it is.
   * @throws NotSealed, KeyNotLoaded, InvalidToken
   */
  decrypt(sealed: string, encryptionKeyId: string): Secret {
    return this.opener(sealed, encryptionKeyId)();
  }

  /**
   * A function that decrypts the text each time it is called. Only the first time does it verify the signature, which then stays
   * valid for the same text. It keeps the encrypted bytes and nothing decrypted.
   * @returns a function that throws what `decrypt` throws
   */
  opener(sealed: string, encryptionKeyId: string): () => Secret {
    let token: VerifiedToken | undefined;
    return () => {
      if (!this.isSealed(sealed)) throw new NotSealed();
      token ??= verify(sealed.slice(SEALED_PREFIX.length), this.#halvesOf(encryptionKeyId));
      return this.open(token, encryptionKeyId);
    };
  }

  /**
   * Decrypts a text of which it is not known which key sealed it.
   * @returns undefined when no loaded key opens it
   */
  openWithAny(sealed: string): { secret: Secret; encryptionKeyId: string } | undefined {
    for (const encryptionKeyId of this.keyIds()) {
      try {
        return { secret: this.decrypt(sealed, encryptionKeyId), encryptionKeyId };
      } catch (error) {
        if (!(error instanceof InvalidToken) && !(error instanceof NotSealed)) throw error;
      }
    }
    return undefined;
  }

  private open(token: VerifiedToken, encryptionKeyId: string): Secret {
    return new Secret(textOf(open(token, this.#halvesOf(encryptionKeyId))));
  }

  /** Whether the text has the prefix of a sealed text; only `decrypt` shows whether it is one. */
  isSealed(text: string): boolean {
    return text.startsWith(SEALED_PREFIX);
  }

  /**
   * HMAC-SHA256 of the parts, as unpadded base64url. Each purpose has its own key (HKDF, RFC 5869), so that a MAC for one
   * purpose is not valid for another. The length in bytes precedes each part, so that two different lists of parts are
   * never the same message.
   * @throws KeyNotLoaded; TypeError for a lone surrogate
   */
  mac(encryptionKeyId: string, purpose: string, parts: readonly string[]): string {
    let size = 0;
    for (const part of parts) size += 8 + Buffer.byteLength(wellFormed(part), 'utf8');
    const message = Buffer.alloc(size);
    let at = 0;
    for (const part of parts) {
      const length = message.write(part, at + 8, 'utf8');
      // The upper half of a length of eight bytes stays 0.
      message.writeUInt32BE(length, at + 4);
      at += 8 + length;
    }
    return createHmac('sha256', this.#derive(encryptionKeyId, purpose)).update(message).digest('base64url');
  }

  /** Compares in constant time. @throws like `mac` */
  verifyMac(encryptionKeyId: string, purpose: string, parts: readonly string[], mac: string): boolean {
    const expected = Buffer.from(this.mac(encryptionKeyId, purpose, parts));
    const given = Buffer.from(mac);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  /** Whether audit events and receipts that were signed under this encryption key can be verified. */
  canVerify(encryptionKeyId: string): boolean {
    const purposes = Object.values(signingPurposes);
    return (
      this.hasKey(encryptionKeyId) ||
      purposes.every((each) => this.#derived.has(nameOf(encryptionKeyId, each)))
    );
  }

  /**
   * The derived keys of `signingPurposes`, as JSON in one text that can be sealed. They verify what the encryption key signed, and
   * open nothing.
   * @throws KeyNotLoaded
   */
  signingKeys(encryptionKeyId: string): Secret {
    const keys = Object.entries(signingPurposes).map(
      ([name, purpose]) => [name, this.#derive(encryptionKeyId, purpose).toString('base64url')] as const,
    );
    return new Secret(JSON.stringify({ ...Object.fromEntries(keys), of: encryptionKeyId }));
  }

  /**
   * Verifies with the result of an earlier `signingKeys`, so that the encryption key itself is not needed any more.
   * @throws InvalidToken when the text belongs to another encryption key
   */
  loadSigningKeys(encryptionKeyId: string, text: Secret): void {
    const keys = JSON.parse(text.expose()) as Partial<Record<string, string>>;
    if (keys['of'] !== encryptionKeyId) throw new InvalidToken();
    for (const [name, purpose] of Object.entries(signingPurposes)) {
      this.#derived.set(nameOf(encryptionKeyId, purpose), Buffer.from(keys[name] ?? '', 'base64url'));
    }
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

  #halvesOf(encryptionKeyId: string): KeyHalves {
    const known = this.#halves.get(encryptionKeyId);
    if (known !== undefined) return known;
    const halves = halvesOf(this.#key(encryptionKeyId).expose());
    this.#halves.set(encryptionKeyId, halves);
    return halves;
  }

  #derive(encryptionKeyId: string, purpose: string): Buffer {
    const name = nameOf(encryptionKeyId, purpose);
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
    super(`the stored value does not begin with ${SEALED_PREFIX}`);
  }
}

function nameOf(encryptionKeyId: string, purpose: string): string {
  return `${encryptionKeyId} ${purpose}`;
}

function bytesOf(key: Secret): Buffer {
  return Buffer.from(key.expose(), 'base64url');
}

/** @throws TypeError for a lone surrogate: Node encodes each as U+FFFD, so that different texts would become equal */
function wellFormed(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('the text is not well-formed Unicode');
  return text;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new InvalidToken();
  }
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
