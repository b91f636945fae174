/**
 * Each tenant's provider credentials, sealed.
 *
 * Guarantees: a key is stored only sealed and bound to its tenant, provider, slot and settings; a row that was moved or edited is
 * refused; listing decrypts nothing; a wrong encryption key is reported at the start; a stored key is verified only at its own
 * endpoint; no call waits for what it found out about a key to be written; calls use only the live credential, and a staged or
 * previous one becomes live with exactly the key and settings that were sealed, or not at all; an import stores a tenant with its
 * credentials or nothing, and repeating it changes nothing. Does not: fall back to any other
 * key, return a key, or detect that a whole row was replaced in SQL by an older one of the same tenant, provider and slot.
 */
export { keyFindings } from './check/key-findings';
export { sealFindings } from './check/seal-findings';
export { countByProvider, endpointFindings, slotFindings, verificationFindings } from './check/slot-findings';
export { CredentialsModule } from './credentials.module';
export {
  type CredentialFields,
  type CredentialSettings,
  type CredentialStatus,
  credentialStatuses,
  type InactiveCredentials,
  type ListedCredential,
  unusableStatuses,
} from './credential';
export { type CredentialCount, CredentialCountsService } from './health/credential-counts.service';
export { CredentialSlotsService } from './rows/credential-slots.service';
export { CredentialWarningsService } from './health/credential-warnings.service';
export { type ListCredentialsResponse } from './api/credential-list.dto';
export { type SwappedCredentialResponse } from './api/credential-replacement.dto';
export {
  checkedBody,
  type RemoveCredentialResponse,
  type SetCredentialResponse,
  settingsOf,
  validFields,
  type VerifyCredentialResponse,
} from './api/credentials.dto';
export { CredentialsService, type TenantCredentials } from './credentials.service';
export { expiresWithinDays } from './expiry';
export {
  CredentialImportService,
  type CredentialResult,
  type ImportedCredential,
  type ImportedTenant,
  type ImportOptions,
  type TenantResult,
} from './imports/credential-import.service';
export { type ProviderListResponse } from './provider-list/providers.dto';
export { refuseDisabled } from './api/feature-enabled.guard';
export { credentialEntities } from './entities';
export { EncryptionResponse } from './api/encryption.dto';
export { loadFormerKeys } from './encryption/former-keys';
export { EncryptionStatusService } from './rotation/encryption-status.service';
export { sealedColumns } from './rotation/sealed-tables';
export { SealingKeyService } from './rotation/sealing-key.service';
export { FormerKey } from './encryption/sealing-state.entity';
export { type Rotation } from './rotation/rotation.entity';
export { RotationService } from './rotation/rotation.service';
export { VerificationRunService } from './overview/verification-run.service';
export { type CredentialOverviewResponse } from './api/credential-overview.dto';
export { type LatestVerificationResponse, type VerificationRunResponse } from './api/verification-run.dto';
export { PassiveHealthService } from './health/passive-health.service';
export { TenantCredential } from './rows/credentials.entity';
export { credentialRemoval } from './rows/provider-slots';
