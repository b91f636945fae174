/**
 * Each tenant's provider credentials, sealed.
 *
 * Guarantees: a key is stored only sealed and bound to its tenant, provider and settings; a row that was moved or
 * edited is refused; listing opens nothing; a wrong encryption key is named at start. Does not: fall back to any other
 * key, give a key back, or detect that an older whole row of the same tenant was put back in SQL.
 */
export { CredentialsModule } from './credentials.module';
export { type CredentialStatus } from './credential';
export { CredentialsService } from './credentials.service';
export { KeyCanary, type KeyCheck } from './key-canary';
export { TenantCredential } from './tenant-credential.entity';
