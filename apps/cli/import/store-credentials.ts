import { type Config } from '#config';
import { asRefusal, Refusal } from '../command-line';
import { type Services, withServices } from '../services';
import { namedTenants, refuseWrongKey, storeForTenants } from '../tenant-credentials';
import { type ImportOptions } from './import-options';
import { faultAt, type ImportedCredential } from './made-import';
import { type Report } from './report';

/**
 * Stores the credentials for the named tenants, and reports each one.
 * @param write writes the files, after everything that could refuse the command
 */
export async function storeCredentials(
  config: Config,
  credentials: readonly ImportedCredential[],
  { tenants, replace = false, yes = false }: ImportOptions & { readonly tenants: readonly string[] },
  report: Report,
  write: () => void,
): Promise<void> {
  if (config.encryptionKeys.current === undefined) {
    throw new Refusal(
      'ENCRYPTION_KEY is not set, and keys cannot be sealed without it. npx tenkey generate-encryption-key prints a line for .env.',
    );
  }
  await withServices(config, async (services) => {
    await refuseWrongKey(services, yes);
    const named = await namedTenants(services, tenants);
    const allowed = credentials.filter((credential) => isAllowed(services, credential, report));
    write();
    for (const { provider, fields } of allowed) {
      const options = { replace, yes, origin: 'import-litellm' };
      report.storing(provider, fields.apiKey);
      for await (const stored of storeForTenants(services, provider, fields, [named], options)) {
        report.stored(stored);
      }
    }
  });
}

/** An address that the address policy refuses is reported, and its credential left out. */
function isAllowed({ credentials }: Services, credential: ImportedCredential, report: Report): boolean {
  const { provider, fields, place } = credential;
  try {
    credentials.refuseEndpoint(fields.settings);
    return true;
  } catch (error) {
    const refusal = asRefusal(error);
    if (!(refusal instanceof Refusal)) throw error;
    report.find(faultAt(place, `no credential for ${provider.id}: ${refusal.message}`));
    return false;
  }
}
