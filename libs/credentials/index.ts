/**
 * Each tenant's provider credentials, sealed.
 *
 * Guarantees: a key is stored only sealed and bound to its tenant, provider and settings; a row that was moved or
 * edited is refused; listing opens nothing; a wrong encryption key is named at start; a stored key is verified at its own
 * endpoint only; what calls find out of a key is written off their way; calls find the live credential only, and one beside it
 * becomes live as it was sealed or not at all. Does not: fall back to any other key, give a key back, or detect that an older
 * or other whole row of the same tenant and provider was put in its place in SQL.
 */
export { CredentialsModule } from './credentials.module';
export {
  type CredentialStatus,
  credentialStatuses,
  type ListedBeside,
  type ListedCredential,
} from './credential';
export { CredentialHealth } from './rows/credential-health.entity';
export { CredentialSlot } from './rows/credential-slot.entity';
export { CredentialSlotsService } from './rows/credential-slots.service';
export { CredentialWarningsService } from './health/credential-warnings.service';
export { validFields } from './api/credentials.dto';
export { CredentialsService, type TenantCredentials } from './credentials.service';
export { expiresWithinDays } from './expiry';
export { refuseDisabled } from './api/feature-enabled.guard';
export { KeyCanaryService, type KeyCheck } from './key-canary.service';
export { PassiveHealthService } from './health/passive-health.service';
export { TenantCredential } from './rows/tenant-credential.entity';
