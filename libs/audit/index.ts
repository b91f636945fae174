/**
 * The record of who changed what: every change through the sysadmin API or the command line, and every refused attempt.
 *
 * Guarantees: an event is written in the transaction of its change, so that no change lacks one; the database refuses to update
 * or delete events; each hash covers the previous one under a key derived from the encryption key, so that `verify` finds an
 * event that was edited, moved or removed; no event contains a secret.
 *
 * Does not: notice that the newest events and the end of the chain were reset together to an earlier state, unless `verify` is
 * given a head that was kept elsewhere (the log has each one at the level info); or protect the events of an instance without
 * an encryption key. Their hashes are plain, and `verify` accepts them only before the first event that was made with a key.
 */
export { type AuditAction, auditActions } from './audit-actions';
export { AuditEvent, type AuditOutcome } from './audit-event.entity';
export { type AuditEventPageResponse } from './audit-events.dto';
export {
  type AuditFault,
  auditFindings,
  countAuditFaults,
  describeAuditFault,
  retentionFindings,
} from './chain/audit-faults';
export { type AuditVerification } from './chain/chain-verification';
export { AuditLogService, type AuditFilter, type Change } from './audit-log.service';
export { AuditModule } from './audit.module';
export { keptSince } from './chain/audit-checkpoint';
export { AuditRetentionService } from './audit-retention.service';
export { PersonalValue } from './personal-values';
export { RefusedAttemptsService } from './refused-attempts.service';
export { lastTenantEvents, newestEvent, type TenantEvent } from './tenant-events';
