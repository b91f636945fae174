/**
 * The keys that Tenkey issues: tenant keys, which open /v1 for one tenant, and sysadmin keys with scopes. issued-key.ts
 * documents their format.
 *
 * Guarantees: a key is shown once and stored only as SHA-256; a mistyped key costs no look-up; a revoked or expired key opens
 * nothing in any process: tenant keys come from the cache, whose changes are in force everywhere when they are answered, sysadmin
 * keys are read from the database for each request, and a key is looked up again after a body that arrives late; a key cannot
 * create a key with more rights; the two kinds of keys cannot be exchanged; the limits of a tenant key hold over all processes
 * within a tenth, as limits/ and decisions/0041 say, and no call waits long for that.
 *
 * Does not: hold them exactly while the database is unavailable or a process joins, undo what a revoked sysadmin key created, or
 * protect against an attacker who can write to the database and so insert a hash of their own.
 */
export { IssuedKeysModule } from './issued-keys.module';
export { type RemovedKeyResponse } from './key-fields';
export { keyNameOf } from './issued-key';
export { SysadminKey, TenantKey } from './issued-keys.entity';
export { KeyLimitsService } from './limits/key-limits.service';
export { type LimitedKey } from './limits/minute-window';
export { type Reservation } from './limits/token-limits.service';
export { issuedKeyRemoval } from './stored-keys';
export {
  type CreatedSysadminKeyResponse,
  type CreateSysadminKeyRequest,
  type SysadminKeyListResponse,
} from './sysadmin-keys.dto';
export { SysadminKeysService } from './sysadmin-keys.service';
export {
  type CreatedTenantKeyResponse,
  CreateTenantKeyRequest,
  type TenantKeyListResponse,
} from './tenant-keys.dto';
export { TenantKeysService } from './tenant-keys.service';
export { TokenLimitsService } from './limits/token-limits.service';
