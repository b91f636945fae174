import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new key: 32 random bytes as 44 characters of URL-safe base64. */
export function generateKey(): string {
  return encode(randomBytes(32));
}

/** A token for the text (as UTF-8) or the bytes. Throws `InvalidKey`. */
export function encrypt(plaintext: string | Buffer, key: string): string {
  return encryptAt(plaintext, key, Math.floor(Date.now() / 1000), randomBytes(16));
}

/** The bytes a token was made of, whatever its age. Throws `InvalidToken` or `InvalidKey`, neither saying more. */
export function decrypt(token: string, key: string): Buffer {
  const { signing, encryption } = halves(key);
  const bytes = decode(token);
  if (bytes === undefined || bytes.length < 73 || (bytes.length - 57) % 16 !== 0 || bytes[0] !== 0x80) {
    throw new InvalidToken();
  }
  // Nothing is decrypted before the whole token is known to be ours, so wrong padding tells a forger nothing.
  const signed = bytes.subarray(0, -32);
  if (!timingSafeEqual(hmac(signing, signed), bytes.subarray(-32))) throw new InvalidToken();
  const decipher = createDecipheriv('aes-128-cbc', encryption, signed.subarray(9, 25));
  const start = decipher.update(signed.subarray(25));
  try {
    // OpenSSL compares every byte of the PKCS #7 padding, not only the last.
    return Buffer.concat([start, decipher.final()]);
  } catch {
    throw new InvalidToken();
  }
}

/** Whether the text is a key: 32 bytes in canonical, padded, URL-safe base64. */
export function isKey(text: string): boolean {
  return text.length === 44 && decode(text)?.length === 32;
}

/** The token was not made with this key, or was changed since. Which of the two cannot be known. */
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

/** `encrypt` with its clock and its dice given. For the published vectors only: an IV used twice shows equal beginnings. */
export function encryptAt(plaintext: string | Buffer, key: string, timeSeconds: number, iv: Buffer): string {
  const { signing, encryption } = halves(key);
  const head = Buffer.alloc(9, 0x80);
  head.writeBigUInt64BE(BigInt(timeSeconds), 1);
  const cipher = createCipheriv('aes-128-cbc', encryption, iv);
  const bytes = typeof plaintext === 'string' ? Buffer.from(plaintext, 'utf8') : plaintext;
  const signed = Buffer.concat([head, iv, cipher.update(bytes), cipher.final()]);
  return encode(Buffer.concat([signed, hmac(signing, signed)]));
}

function halves(key: string): { signing: Buffer; encryption: Buffer } {
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

/** Node decodes leniently; only text that encodes back to itself is accepted, so a token has one spelling. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return encode(bytes) === text ? bytes : undefined;
}
