import { credentialPath, Problem } from '#http';
import { type Provider } from '#providers';
import { type Slot } from '../credential';
import { type TenantCredential } from './credentials.entity';

/** The slot is empty. */
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
        detail: `Tenant ${tenantId} has no previous ${provider.label} credential. Either no promotion has replaced one, or a rollback or a PUT has followed the promotion, or the time for a rollback has passed.`,
        hint: `PUT ${path} with the earlier key sets it again.`,
      });
  }
}

/** The staged version is not the one that the caller named. */
export function otherVersion(provider: Provider, staged: TenantCredential): Problem {
  return new Problem('credential_conflict', {
    detail: `The staged ${provider.label} credential is version ${staged.version}, ${staged.mask}, and not the version in the request: another one has been staged since. Nothing was changed.`,
    hint: `POST ${credentialPath(staged.tenantId, provider.id)}/verify?slot=staged verifies this one; then promote with ?version=${staged.version}.`,
  });
}

/** The provider refused the staged credential in the last call or verification. */
export function stagedIsRefused(provider: Provider, staged: TenantCredential, at: Date | null): Problem {
  const path = credentialPath(staged.tenantId, provider.id);
  const when = at === null ? '' : `, last at ${at.toISOString()}`;
  return new Problem('credential_rejected', {
    detail: `${provider.label} (${provider.id}) refused the staged credential of tenant ${staged.tenantId}, ${staged.mask}${when}. Nothing was changed.`,
    hint: `POST ${path}/verify?slot=staged asks ${provider.label} again; PUT ${path}?stage=true stages another key.`,
  });
}

/** There is a previous credential, but the time for a rollback has passed. */
export function tooLate(provider: Provider, previous: TenantCredential, until: Date): Problem {
  return new Problem('credential_conflict', {
    detail: `The previous ${provider.label} credential of tenant ${previous.tenantId}, ${previous.mask}, could be rolled back to until ${until.toISOString()} (CREDENTIAL_ROLLBACK_HOURS). Nothing was changed.`,
    hint: `PUT ${credentialPath(previous.tenantId, provider.id)} with the earlier key sets it again.`,
  });
}
