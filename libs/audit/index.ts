/**
 * The record of who changed what: every sysadmin change and every refused attempt.
 *
 * Guarantees: an event is written in its change's own transaction, so that there is no change without one; the database
 * refuses to update or delete it; each event's hash covers the one before it under a key derived from the encryption key, so
 * that an event that was edited, moved or removed is found by `verify`. No secret is in it.
 *
 * It does not notice that the newest events and the end of the chain were put back together to an earlier state, unless a
 * head that was kept elsewhere (the service's log has each, at the level info) is given to `verify`. Without an encryption
 * key the hashes are plain: such events are accepted before the first one that was made with a key, and nowhere else.
 */
export { AuditEvent, type AuditOutcome } from './audit-event.entity';
export { AuditLogService, type AuditFilter, type AuditVerification, type Change } from './audit-log.service';
export { AuditModule } from './audit.module';
export { RefusedAttemptsService } from './refused-attempts.service';
