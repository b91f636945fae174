import { canonicalJson, type FernetService } from '#crypto';
import { type Slot } from '../credential';
import { type SealingState } from '../encryption/sealing-state.entity';
import { CredentialSlot, type TenantCredential } from './credentials.entity';

/** Where a row is, which the row itself does not say. */
interface Place {
  readonly slot: Slot;
  /** A random UUID of the tenant: another tenant with the same id has another one. */
  readonly incarnation: string;
}

const purposes = { 1: 'tenkey tenant credential seal v1', 2: 'tenkey tenant credential seal v2' } as const;
type SealForm = keyof typeof purposes;

/**
 * Fernet authenticates only the text of the key. The seal binds it to its row: tenant, provider, settings and version, and since
 * its second form also the slot. A row that was copied to another tenant or slot, or an endpoint that was edited in SQL, no longer
 * fits its seal. The second form begins with `2:`.
 */
export function sealOf(
  fernet: FernetService,
  row: TenantCredential,
  place: Place,
  { sealForm }: Pick<SealingState, 'sealForm'>,
): string {
  if (sealForm < 2) return macOf(fernet, row, place, 1);
  return `2:${macOf(fernet, row, place, 2)}`;
}

/** @returns false when the row differs from what was sealed, or its seal has a form that is not accepted any more. The key `row.encryptionKeyId` must be loaded. */
export function fitsSeal(fernet: FernetService, row: TenantCredential): boolean {
  const place = placeOf(row);
  const form = formOf(row);
  if (form < (row.sealing?.leastSealForm ?? 1)) return false;
  const mac = form === 1 ? row.seal : row.seal.slice(2);
  return fernet.verifyMac(row.encryptionKeyId, purposes[form], partsOf(row, place, form), mac);
}

/**
 * The seal of a valid row for another slot of the same tenant.
 * @throws KeyNotLoaded when `isBoundToSlot` and `row.encryptionKeyId` is not loaded
 */
export function sealFor(
  slot: Slot,
  fernet: FernetService,
  row: TenantCredential,
  form: Pick<SealingState, 'sealForm'>,
): string {
  if (!isBoundToSlot(row) && !fernet.hasKey(row.encryptionKeyId)) return row.seal;
  return sealOf(fernet, row, { slot, incarnation: placeOf(row).incarnation }, form);
}

/** False for a seal of the first form, which fits in every slot. */
export function isBoundToSlot(row: TenantCredential): boolean {
  return formOf(row) > 1;
}

function formOf({ seal }: TenantCredential): SealForm {
  return seal.startsWith('2:') ? 2 : 1;
}

export function slotOf(row: TenantCredential): Slot {
  return row instanceof CredentialSlot ? row.slot : 'live';
}

function placeOf(row: TenantCredential): Place {
  return { slot: slotOf(row), incarnation: row.tenant?.incarnation ?? '' };
}

function macOf(fernet: FernetService, row: TenantCredential, place: Place, form: SealForm): string {
  return fernet.mac(row.encryptionKeyId, purposes[form], partsOf(row, place, form));
}

function partsOf(row: TenantCredential, { slot, incarnation }: Place, form: SealForm): string[] {
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
    ...(form === 1 ? [] : ['incarnation', incarnation, 'slot', slot]),
  ];
}
