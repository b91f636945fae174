import { type EntityManager } from 'typeorm';
import { type FernetService } from '#crypto';
import { addFinding, fault, type Finding } from '#database';
import { credentialPath } from '#http';
import { type Slot, unusableStatuses } from '../credential';
import { nextKeys, type RowKey, rowsOf } from '../rotation/row-keys';
import { credentialTables } from '../rotation/sealed-tables';
import { type TenantCredential } from '../rows/credentials.entity';
import { slotOf } from '../rows/seal';
import { listedOf } from '../rows/stored-credential';

const PAGE = 500;

/** What is wrong with the seal of a stored credential. */
type SealFault = 'plaintext' | 'unreadable' | 'tampered' | 'without_tenant' | 'not_opened';

/** How many stored credentials were read, by slot, and a finding for each that no call could use. */
export interface SealCheck {
  readonly rows: Readonly<Record<Slot, number>>;
  readonly findings: readonly Finding[];
}

/**
 * Checks the seal of every stored credential, in pages.
 * @param opens decrypts each key as well, and discards it at once
 * @param onPage called after each page with the number of rows read so far
 */
export async function sealFindings(
  manager: EntityManager,
  fernet: FernetService,
  { opens = false, onPage }: { readonly opens?: boolean; readonly onPage?: (rows: number) => void } = {},
): Promise<SealCheck> {
  const rows = { live: 0, staged: 0, previous: 0 };
  const findings: Finding[] = [];
  for (const table of credentialTables) {
    for (let after: RowKey | undefined; ;) {
      const keys = await nextKeys(manager, table, after, PAGE);
      if (keys.length === 0) break;
      after = keys.at(-1);
      for (const row of await rowsOf(manager, table, keys).getMany()) {
        rows[slotOf(row)] += 1;
        const sealFault = faultOfSeal(fernet, row, opens);
        if (sealFault !== undefined) addFinding(findings, findingOf(row, sealFault));
      }
      onPage?.(rows.live + rows.staged + rows.previous);
    }
  }
  return { rows, findings };
}

function faultOfSeal(fernet: FernetService, row: TenantCredential, opens: boolean): SealFault | undefined {
  // The foreign key rules this out, unless it was removed or switched off.
  if (!row.tenant) return 'without_tenant';
  const { status } = listedOf(fernet, row);
  if (unusableStatuses.includes(status)) return status as SealFault;
  return !opens || canBeOpened(fernet, row) ? undefined : 'not_opened';
}

/** The decrypted key exists only in this expression. */
function canBeOpened(fernet: FernetService, row: TenantCredential): boolean {
  try {
    return fernet.decrypt(row.sealedApiKey, row.encryptionKeyId).expose() !== '';
  } catch {
    return false;
  }
}

function findingOf(row: TenantCredential, sealFault: SealFault): Finding {
  const slot = slotOf(row);
  const owner = row.tenant ? `tenant ${row.tenant.name} (${row.tenantId})` : `tenant id ${row.tenantId}`;
  const which = `${owner}, ${row.provider}, ${slot}`;
  const again = `set the credential again: PUT ${credentialPath(row.tenantId, row.provider)}${slot === 'staged' ? '?stage=true' : ''}`;
  switch (sealFault) {
    case 'plaintext':
      return fault(
        `${which}: stored in clear text, so it is not used`,
        `Find out who wrote to the database, and ${again}.`,
      );
    case 'unreadable':
      return fault(
        `${which}: sealed under an encryption key that is not loaded (fingerprint ${row.encryptionKeyId})`,
        `Load that key in ENCRYPTION_KEY_PREVIOUS. If it is lost, ${again}.`,
      );
    case 'tampered':
      return fault(
        `${which}: does not fit its seal, because it was changed or moved outside Tenkey, so it is not used`,
        `Find out who wrote to the database, and ${again}.`,
      );
    case 'without_tenant':
      return fault(
        `${which}: belongs to no tenant`,
        'Find out who removed the tenant or the foreign key, and delete the row.',
      );
    case 'not_opened':
      return fault(
        `${which}: cannot be opened with its encryption key (fingerprint ${row.encryptionKeyId})`,
        `The sealed text is damaged: ${again}.`,
      );
  }
}
