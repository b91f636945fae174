import { isDeepStrictEqual } from 'node:util';
import { type FernetService, type Secret } from '#crypto';
import { type RouteCredential } from '#egress';
import { credentialPath, Problem } from '#http';
import { type Provider } from '#providers';
import {
  type CredentialSettings,
  type CredentialStatus,
  type ListedCredential,
  type Slot,
  unusableStatuses,
} from '../credential';
import { expiresWithinDays } from '../expiry';
import { fitsSeal } from './seal';
import { nothingStored } from './slot-problems';
import { type TenantCredential } from './credentials.entity';

/** A stored row, with its sealed key and its health, as operators see it. Decrypts nothing. */
export function listedOf(fernet: FernetService, row: TenantCredential): ListedCredential {
  const { health } = row;
  return {
    provider: row.provider,
    mask: row.mask,
    isEncrypted: fernet.isSealed(row.sealedApiKey),
    configuredAt: row.configuredAt,
    settings: row.settings,
    version: row.version,
    status: statusOf(fernet, row),
    expiresAt: row.expiresAt,
    verification:
      health?.outcome && health.verifiedAt
        ? { outcome: health.outcome, latencyMs: health.latencyMs ?? 0, verifiedAt: health.verifiedAt }
        : null,
    rejection: health?.rejectedAt ? { at: health.rejectedAt, count: health.rejections } : null,
  };
}

/**
 * The credential for a call, checked but still sealed. For a probe or a promotion also that of an inactive slot.
 * @throws Problem that says why it cannot be used
 */
export function usableCredential(
  fernet: FernetService,
  tenantId: string,
  provider: Provider,
  row: TenantCredential | undefined,
  slot: Slot = 'live',
): RouteCredential {
  if (!row) throw nothingStored(tenantId, provider, slot);
  const put = `PUT ${credentialPath(tenantId, provider.id)}${slot === 'staged' ? '?stage=true' : ''}`;
  const credential = `The ${slot === 'live' ? '' : `${slot} `}${provider.label} credential of tenant ${tenantId}`;
  switch (statusOf(fernet, row)) {
    case 'plaintext':
      throw new Problem('credential_plaintext', {
        detail: `${credential} is stored in clear text and is not used.`,
        hint: `${put} with the key stores it sealed.`,
      });
    case 'unreadable':
      throw unreadable(row, credential, put);
    case 'tampered':
      throw new Problem('credential_tampered', {
        detail: `${credential} was changed outside Tenkey and is not used.`,
        hint: `Find out who changed the database, then ${put} with the key.`,
      });
    // These statuses may be out of date: the provider decides at each call.
    case 'rejected':
    case 'expired':
    case 'expiring':
    case 'ready':
      return {
        tenantId: row.tenantId,
        provider,
        source: 'tenant',
        mask: row.mask,
        version: row.version,
        settings: row.settings,
        wasRejected: isRejected(row),
        open: opening(fernet, row, (cause) => unreadable(row, credential, put, cause)),
      };
  }
}

function opening(
  fernet: FernetService,
  row: TenantCredential,
  toProblem: (cause: unknown) => Problem,
): () => Secret {
  const open = fernet.opener(row.sealedApiKey, row.encryptionKeyId);
  return () => {
    try {
      return open();
    } catch (error) {
      throw toProblem(error);
    }
  };
}

function unreadable(row: TenantCredential, credential: string, put: string, cause?: unknown): Problem {
  return new Problem('credential_unreadable', {
    detail: `${credential} is sealed under an encryption key that is not loaded (fingerprint ${row.encryptionKeyId}).`,
    hint: `Load that key in ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS, or ${put} with the key again.`,
    cause,
  });
}

function statusOf(fernet: FernetService, row: TenantCredential): CredentialStatus {
  if (!fernet.isSealed(row.sealedApiKey)) return 'plaintext';
  if (!fernet.hasKey(row.encryptionKeyId)) return 'unreadable';
  if (!fitsSeal(fernet, row)) return 'tampered';
  if (isRejected(row)) return 'rejected';
  const days = expiresWithinDays(row.expiresAt);
  if (days === undefined) return 'ready';
  return days === 0 ? 'expired' : 'expiring';
}

/**
 * The names of the fields in which a stored credential differs. The keys are compared by a keyed hash of each, which is made while
 * the stored key is open and is not kept.
 * @param apiKey absent: the stored key is to stay
 * @returns `api_key` alone when the stored credential cannot be used
 */
export function differingFields(
  fernet: FernetService,
  provider: Provider,
  row: TenantCredential,
  { apiKey, settings, expiresAt }: CredentialSettings & { readonly apiKey?: Secret },
): string[] {
  if (unusableStatuses.includes(statusOf(fernet, row))) return ['api_key'];
  const names = [...new Set([...Object.keys(row.settings), ...Object.keys(settings)])];
  const differing = names.filter((name) => !isDeepStrictEqual(row.settings[name], settings[name])).sort();
  if (row.expiresAt?.getTime() !== expiresAt?.getTime()) differing.push('expires_at');
  const isSame = () => {
    if (apiKey === undefined) return true;
    const partsOf = (key: Secret) =>
      [row.encryptionKeyId, 'tenkey unchanged key v1', [row.tenantId, row.provider, key.expose()]] as const;
    const stored = usableCredential(fernet, row.tenantId, provider, row);
    return fernet.verifyMac(...partsOf(apiKey), fernet.mac(...partsOf(stored.open())));
  };
  return isSame() ? differing : ['api_key', ...differing];
}

function isRejected({ health }: TenantCredential): boolean {
  return health?.rejectedAt instanceof Date;
}

/** The provider's last refusal, in a call or a verification; undefined when it has accepted the credential since. */
export function lastRefusal({ health }: TenantCredential): { readonly at: Date | null } | undefined {
  if (health?.rejectedAt) return { at: health.rejectedAt };
  // A verification also refuses a restricted key, as a PUT with verify=true does. No call shows whether it is still restricted.
  return health?.outcome === 'forbidden' ? { at: health.verifiedAt } : undefined;
}

/** What the audit may show of a credential. Only the names of settings: an address may contain a pasted secret. */
export function audited(row: TenantCredential | null) {
  // A row that was edited in SQL may hold any JSON here.
  const settings: unknown = row?.settings;
  const names = typeof settings === 'object' && settings !== null ? Object.keys(settings).sort() : [];
  return (
    row && {
      mask: row.mask,
      version: row.version,
      settings: names,
      ...(row.expiresAt && { expires_at: row.expiresAt.toISOString() }),
    }
  );
}
