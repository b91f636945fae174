import { canonicalJson, type FernetService } from '#crypto';
import { type TenantCredential } from './credentials.entity';

const purpose = 'tenkey tenant credential seal v1';

/**
 * Fernet authenticates only the text of the key. The seal binds it to its row: tenant, provider, settings and version. A row
 * that was copied to another tenant, or an endpoint that was edited in SQL, no longer fits its seal.
 */
export function sealOf(fernet: FernetService, row: TenantCredential): string {
  return fernet.mac(row.encryptionKeyId, purpose, partsOf(row));
}

/** @returns false when the row differs from what was sealed. The key `row.encryptionKeyId` must be loaded. */
export function fitsSeal(fernet: FernetService, row: TenantCredential): boolean {
  return fernet.verifyMac(row.encryptionKeyId, purpose, partsOf(row), row.seal);
}

function partsOf(row: TenantCredential): string[] {
  return [
    row.tenantId,
    row.provider,
    row.sealedApiKey,
    row.mask,
    row.encryptionKeyId,
    row.version,
    row.configuredAt.toISOString(),
    canonicalJson(row.settings),
    // Left out when there is none, so that rows sealed before this column existed still fit.
    ...(row.expiresAt === null ? [] : ['expires_at', row.expiresAt.toISOString()]),
  ];
}
