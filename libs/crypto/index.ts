/**
 * Keeps secrets unreadable: at rest as `enc:fernet:v1:<token>`, in memory as an opaque `Secret`, and finds them in texts.
 *
 * Guarantees: tokens follow https://github.com/fernet/spec (version 0x80: AES-128-CBC, then HMAC-SHA256) and are
 * byte-compatible with Python's `cryptography`; a token has exactly one accepted spelling, and a token with a changed bit
 * is refused before anything is decrypted; no error contains a key, a token or a plaintext; only `expose()` shows a
 * `Secret`.
 *
 * Does not: check the age of a token, bind a token to its row (Fernet has no associated data; sign the row with
 * `FernetService.mac`), store or rotate keys, read configuration, or wipe memory.
 */
export { CryptoModule } from './crypto.module';
export { decrypt, encrypt, generateKey, InvalidKey, InvalidToken, isKey } from './fernet';
export {
  canonicalJson,
  FernetService,
  KeyNotLoaded,
  type KeyRing,
  NoCurrentKey,
  NotSealed,
  signingPurposes,
  SEALED_PREFIX,
} from './fernet.service';
export { looksLikeKey, removeKeyShapes } from './key-shapes';
export { isPublishedKey } from './published-keys';
export { maskOf, Secret } from './secret';
export { replaceRanges, secretRanges, type TextRange } from './secret-spellings';
export { mightMention, tracesOf } from './secret-traces';
