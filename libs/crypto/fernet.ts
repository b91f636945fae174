import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new key: 32 random bytes as 44 characters of URL-safe base64. */
export function generateKey(): string {
  return encode(randomBytes(32));
}

/**
 * A token for the text (as UTF-8) or the bytes.
 * @throws InvalidKey
 */
export function encrypt(plaintext: string | Buffer, key: string): string {
  return encryptAt(plaintext, key, Math.floor(Date.now() / 1000), randomBytes(16));
}

/**
 * The bytes that the token contains, whatever its age.
 * @throws InvalidToken, InvalidKey; neither says what exactly is wrong
 */
export function decrypt(token: string, key: string): Buffer {
  const keyHalves = halvesOf(key);
  return open(verify(token, keyHalves), keyHalves);
}

/** The two halves of a key. */
export interface KeyHalves {
  readonly signing: Buffer;
  readonly encryption: Buffer;
}

/** A token whose signature was verified. Its text is still encrypted. */
export interface VerifiedToken {
  readonly iv: Buffer;
  readonly ciphertext: Buffer;
}

/** @throws InvalidToken */
export function verify(token: string, { signing }: KeyHalves): VerifiedToken {
  const bytes = decode(token);
  if (bytes === undefined || bytes.length < 73 || (bytes.length - 57) % 16 !== 0 || bytes[0] !== 0x80) {
    throw new InvalidToken();
  }
  // The signature is verified before anything is decrypted, so that a forger learns nothing from wrong padding.
  const signed = bytes.subarray(0, -32);
  if (!timingSafeEqual(hmac(signing, signed), bytes.subarray(-32))) throw new InvalidToken();
  return { iv: signed.subarray(9, 25), ciphertext: signed.subarray(25) };
}

/** @throws InvalidToken */
export function open({ iv, ciphertext }: VerifiedToken, { encryption }: KeyHalves): Buffer {
  const decipher = createDecipheriv('aes-128-cbc', encryption, iv);
  const start = decipher.update(ciphertext);
  try {
    // OpenSSL checks every byte of the PKCS #7 padding, not only the last.
    return Buffer.concat([start, decipher.final()]);
  } catch {
    throw new InvalidToken();
  }
}

/** Whether the text is a key: 32 bytes in canonical, padded, URL-safe base64. */
export function isKey(text: string): boolean {
  return text.length === 44 && decode(text)?.length === 32;
}

/** The token was made with another key, or was changed. The two cannot be told apart. */
export class InvalidToken extends Error {
  override readonly name = 'InvalidToken';
  constructor() {
    super('not a token of this key');
  }
}

export class InvalidKey extends Error {
  override readonly name = 'InvalidKey';
  constructor() {
    super('a Fernet key is 32 bytes as 44 characters of URL-safe base64');
  }
}

/** `encrypt` with a given time and IV. Only for the published test vectors: using an IV twice reveals equal beginnings. */
export function encryptAt(plaintext: string | Buffer, key: string, timeSeconds: number, iv: Buffer): string {
  const { signing, encryption } = halvesOf(key);
  const head = Buffer.alloc(9, 0x80);
  head.writeBigUInt64BE(BigInt(timeSeconds), 1);
  const cipher = createCipheriv('aes-128-cbc', encryption, iv);
  const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
  const signed = Buffer.concat([head, iv, cipher.update(bytes), cipher.final()]);
  return encode(Buffer.concat([signed, hmac(signing, signed)]));
}

/** @throws InvalidKey */
export function halvesOf(key: string): KeyHalves {
  const bytes = isKey(key) ? decode(key) : undefined;
  if (bytes === undefined) throw new InvalidKey();
  return { signing: bytes.subarray(0, 16), encryption: bytes.subarray(16) };
}

function hmac(key: Buffer, bytes: Buffer): Buffer {
  return createHmac('sha256', key).update(bytes).digest();
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** Node accepts many spellings of the same bytes. Only the canonical one is accepted here, so a token has one spelling. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return encode(bytes) === text ? bytes : undefined;
}
