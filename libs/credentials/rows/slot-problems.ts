import { credentialPath, Problem } from '#http';
import { type Provider } from '#providers';
import { type Slot } from '../credential';
import { type TenantCredential } from './tenant-credential.entity';

/** There is nothing in that slot. */
export function nothingStored(tenantId: string, provider: Provider, slot: Slot): Problem {
  const path = credentialPath(tenantId, provider.id);
  const example = JSON.stringify(provider.example);
  switch (slot) {
    case 'live':
      return new Problem('credential_not_configured', {
        detail: `Tenant ${tenantId} has no ${provider.label} credential, and no other key is used in its place.`,
        hint: `PUT ${path} with ${example}`,
      });
    case 'staged':
      return new Problem('credential_not_staged', {
        detail: `No ${provider.label} credential is staged for tenant ${tenantId}.`,
        hint: `PUT ${path}?stage=true with ${example}`,
      });
    case 'previous':
      return new Problem('credential_conflict', {
        detail: `There is no previous ${provider.label} credential of tenant ${tenantId}: nothing was promoted over one, it was taken back already, another PUT came after it, or its time is over.`,
        hint: `PUT ${path} with the earlier key sets it anew.`,
      });
  }
}

/** Another one is staged than the caller verified. */
export function otherVersion(provider: Provider, staged: TenantCredential): Problem {
  return new Problem('credential_conflict', {
    detail: `Staged is version ${staged.version}, ${staged.keyHint}, and not the version that was named: another ${provider.label} credential was staged meanwhile. Nothing was changed.`,
    hint: `POST ${credentialPath(staged.tenantId, provider.id)}/verify?slot=staged asks about this one; then promote with ?version=${staged.version}.`,
  });
}

/** The provider refused what is staged, last time it was asked or called with it. */
export function stagedIsRefused(provider: Provider, staged: TenantCredential, at: Date | null): Problem {
  const path = credentialPath(staged.tenantId, provider.id);
  const when = at === null ? '' : `, last at ${at.toISOString()}`;
  return new Problem('credential_rejected', {
    detail: `${provider.label} (${provider.id}) refused the staged credential of tenant ${staged.tenantId}, ${staged.keyHint}${when}. Nothing was changed.`,
    hint: `POST ${path}/verify?slot=staged asks ${provider.label} again; PUT ${path}?stage=true with another key stages that.`,
  });
}

/** There was a previous one, and the time to take it back is over. */
export function tooLate(provider: Provider, previous: TenantCredential, until: Date): Problem {
  return new Problem('credential_conflict', {
    detail: `The previous ${provider.label} credential of tenant ${previous.tenantId}, ${previous.keyHint}, could be taken back until ${until.toISOString()} (CREDENTIAL_ROLLBACK_HOURS). Nothing was changed.`,
    hint: `PUT ${credentialPath(previous.tenantId, provider.id)} with the earlier key sets it anew.`,
  });
}
