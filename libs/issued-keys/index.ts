/**
 * The keys that Tenkey issues: tenant keys, which open /v1 for one tenant, and sysadmin keys with scopes.
 *
 * Guarantees: a key is shown once and stored as SHA-256 only; a mistyped one costs no look-up; each request asks the database
 * anew, and once more when its body took longer than a second to arrive, so that a revoked or expired key opens nothing in any
 * process from then on; nothing that a key grants exceeds it; no kind of key can stand in for the other. The format is documented in issued-key.ts.
 *
 * Does not: count requests or tokens across processes (each limits on its own), take back what a revoked sysadmin key made, or protect
 * against whoever can write to the database, who can put a hash of their own there.
 */
export { IssuedKeysModule } from './issued-keys.module';
export { shownKey } from './issued-key';
export { SysadminKey } from './sysadmin-key.entity';
export { SysadminKeysService } from './sysadmin-keys.service';
export { TenantKey } from './issued-keys.entity';
export { TenantKeysService } from './tenant-keys.service';
export { TokenLimitsService } from './token-limits.service';
