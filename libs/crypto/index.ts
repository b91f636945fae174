/**
 * Keeps a secret unreadable: at rest as `enc:fernet:v1:<token>`, in memory as an opaque `Secret`.
 *
 * Follows https://github.com/fernet/spec (version 0x80: AES-128-CBC, then HMAC-SHA256), byte-compatible with Python's
 * `cryptography`. A token has exactly one accepted spelling; a changed bit is refused before anything is decrypted;
 * no error carries a key, a token or a plaintext; nothing but `expose()` shows a `Secret`.
 *
 * It does not look at a token's age, does not bind a token to its row (Fernet has no associated data: sign the row
 * with `FernetService.mac`), does not store or rotate keys, reads no configuration, and does not wipe memory.
 */
export { canonicalJson } from './canonical-json';
export { CryptoModule } from './crypto.module';
export { decrypt, encrypt, generateKey, InvalidKey, InvalidToken, isKey } from './fernet';
export { FernetService, KeyNotLoaded, type KeyRing, NoCurrentKey, NotSealed } from './fernet.service';
export { removeKeyShapes } from './key-shapes';
export { isPublishedKey } from './published-keys';
export { maskOf, Secret } from './secret';
