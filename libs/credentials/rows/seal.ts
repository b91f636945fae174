import { canonicalJson, type FernetService } from '#crypto';
import { type TenantCredential } from './tenant-credential.entity';

const purpose = 'tenkey tenant credential seal v1';

/**
 * Fernet authenticates the key's text and nothing beside it. The seal binds it to its row: tenant, provider, settings
 * and version. A row copied to another tenant, or an endpoint edited in SQL, no longer fits its seal.
 */
export function sealOf(fernet: FernetService, row: TenantCredential): string {
  return fernet.mac(row.encryptionKeyId, purpose, partsOf(row));
}

/** @returns false when the row differs from what was sealed; the key with `row.encryptionKeyId` must be loaded */
export function fitsSeal(fernet: FernetService, row: TenantCredential): boolean {
  return fernet.verifyMac(row.encryptionKeyId, purpose, partsOf(row), row.seal);
}

function partsOf(row: TenantCredential): string[] {
  return [
    row.tenantId,
    row.provider,
    row.sealedApiKey,
    row.keyHint,
    row.encryptionKeyId,
    row.version,
    row.configuredAt.toISOString(),
    canonicalJson(row.settings),
    // Absent when there is none, so that a row sealed before there were such dates still fits.
    ...(row.expiresAt === null ? [] : ['expires_at', row.expiresAt.toISOString()]),
  ];
}
