import { type Config, type GlobalCredential } from '#config';
import { type CredentialFields } from '#credentials';
import { type Provider, ProviderRegistry } from '#providers';
import { asRefusal, Refusal } from '../command-line';
import { visible } from '../output';
import { type Services, withServices } from '../services';
import { allTenants, fieldsOf, namedTenants, refuseWrongKey, storeForTenants } from '../tenant-credentials';

interface Plan {
  /** Names or ids; undefined: all tenants. */
  readonly tenants: readonly string[] | undefined;
  /** True: overwrite the credentials that tenants have. */
  readonly replace: boolean;
  /** False: print the plan, and change nothing. */
  readonly yes: boolean;
}

/**
 * Copies a global credential to tenants, and prints what it does.
 * @returns the number of tenants for which it failed
 * @throws Refusal
 */
export async function adoptGlobalKey(
  config: Config,
  provider: Provider,
  credential: GlobalCredential,
  plan: Plan,
): Promise<number> {
  const fields = fieldsOfGlobal(provider, credential);
  return withServices(config, async (services) => {
    process.stdout.write(
      `${provider.label} (${provider.id}): ${fields.apiKey.mask} of ${provider.globalVariables.apiKey}\n`,
    );
    await refuseWrongKey(services, plan.yes);
    refuseEndpoint(services, fields.settings);
    return adopt(services, provider, fields, plan);
  });
}

/** A start does not check that a global credential is complete. */
function fieldsOfGlobal(provider: Provider, { apiKey, settings }: GlobalCredential): CredentialFields {
  const body = { api_key: apiKey.expose(), ...settings };
  const valid = fieldsOf(new ProviderRegistry(), provider, body);
  if ('fields' in valid) return valid.fields;
  throw new Refusal(`the global ${provider.label} credential is not valid: ${valid.faults}`);
}

function refuseEndpoint({ credentials }: Services, settings: Readonly<Record<string, unknown>>): void {
  try {
    credentials.refuseEndpoint(settings);
  } catch (error) {
    throw asRefusal(error);
  }
}

/** @returns the number of tenants for which it failed */
async function adopt(
  services: Services,
  provider: Provider,
  fields: CredentialFields,
  { tenants, replace, yes }: Plan,
): Promise<number> {
  const pages = tenants === undefined ? allTenants(services) : [await namedTenants(services, tenants)];
  const options = { replace, yes, origin: 'adopt-global-keys' };
  const counts = { tenants: 0, set: 0, skipped: 0, failed: 0 };
  for await (const { tenant, outcome, result } of storeForTenants(
    services,
    provider,
    fields,
    pages,
    options,
  )) {
    counts.tenants += 1;
    counts[outcome] += 1;
    process.stdout.write(`  ${result.padEnd(11)} ${visible(tenant.name)} (${tenant.id})\n`);
  }
  const set = yes ? `${counts.set} set` : `${counts.set} to set`;
  const failed = counts.failed > 0 ? `, ${counts.failed} failed` : '';
  const plan = yes ? '' : ' Nothing was changed; --yes carries out the plan.';
  process.stdout.write(
    `${counts.tenants} ${counts.tenants === 1 ? 'tenant' : 'tenants'}: ${set}, ${counts.skipped} skipped${failed}.${plan}\n`,
  );
  return counts.failed;
}
