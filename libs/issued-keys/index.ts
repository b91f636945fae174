/**
 * The keys that Tenkey issues: tenant keys, which open /v1 for one tenant, and sysadmin keys with scopes. issued-key.ts
 * documents their format. Also the sessions of the console, for which a key of the sysadmin API is exchanged (sessions/).
 *
 * Guarantees: a key is shown once and stored only as SHA-256; a mistyped key costs no look-up; a revoked or expired key opens
 * nothing in any process: tenant keys come from the cache, whose changes are in force everywhere when they are answered, sysadmin
 * keys are read from the database for each request, and a key is looked up again after a body that arrives late; a key cannot
 * create a key with more rights; a key of one kind is never one of another; the limits of a tenant key hold over all processes
 * within a tenth, as limits/ and decisions/0041 say, and no call waits long for that; a session opens what its key opens at each
 * request, and never longer than the key.
 *
 * Does not: hold them exactly while the database is unavailable or a process joins, undo what a revoked sysadmin key created, or
 * protect against an attacker who can write to the database and so insert a hash of their own.
 */
export { IssuedKeysModule } from './issued-keys.module';
export { type RemovedKeyResponse } from './key-fields';
export { isSessionToken, keyNameOf } from './issued-key';
export { SysadminKey, TenantKey } from './issued-keys.entity';
export { KeyLimitsService } from './limits/key-limits.service';
export { type LimitedKey } from './limits/minute-window';
export { type Reservation } from './limits/token-limits.service';
export { SessionsService } from './sessions/sessions.service';
export { SysadminSession } from './sessions/sysadmin-session.entity';
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
