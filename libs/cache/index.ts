/**
 * The rows that calls need, cached, and still revoked at once.
 *
 * Guarantees: no call that starts after the response to a change, in any process, uses the old rows; nothing decrypted and no
 * decision that depends on the time is cached; memory is bounded; while the database is unavailable, calls use what
 * is cached until the lease expires. It assumes one primary database, and clocks that keep running and agree within a tenth.
 * decisions/0019 has the argument, and protocol.spec.ts enumerates the interleavings.
 *
 * Does not: know what a row means, delay a call, or notice at once what somebody changes in SQL with the triggers disabled.
 */
export { CacheModule } from './cache.module';
export { type CachedRows, CacheService } from './cache.service';
export { type InForce, type InForceListener, ChangesService } from './changes.service';
export {
  lockedRegistry,
  NEWEST_SEAL_FORM,
  type ProcessState,
  readAbilities,
  readProcesses,
} from './registry';
export { registryFindings } from './registry-findings';
