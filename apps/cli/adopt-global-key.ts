import { type Config, type GlobalCredential } from '#config';
import { checkedBody, type CredentialFields, unusableStatuses, validFields } from '#credentials';
import { isDatabaseUnavailable } from '#database';
import { Problem } from '#http';
import { type Provider, ProviderRegistry } from '#providers';
import { type Tenant } from '#tenants';
import { asRefusal, changedByCommand, Refusal } from './command-line';
import { type Services, withServices } from './services';

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
  { tenants, replace, yes }: Plan,
): Promise<number> {
  const fields = fieldsOf(provider, credential);
  return withServices(config, async (services) => {
    process.stdout.write(
      `${provider.label} (${provider.id}): ${fields.apiKey.mask} of ${provider.globalVariables.apiKey}\n`,
    );
    await refuseWrongKey(services);
    refuseEndpoint(services, fields.settings);
    const pages = tenants === undefined ? allTenants(services) : [await namedTenants(services, tenants)];
    return adopt(services, provider, fields, pages, { replace, yes });
  });
}

/** The fields, validated like the body of a PUT: a start does not check that they are complete. */
function fieldsOf(provider: Provider, { apiKey, settings }: GlobalCredential): CredentialFields {
  try {
    const body = checkedBody(provider, { api_key: apiKey.expose(), ...settings });
    return validFields(new ProviderRegistry(), provider, body).fields;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const faults = (error.details.errors ?? []).map(({ message }) => message).join('; ');
    throw new Refusal(`the global ${provider.label} credential is not valid: ${faults}`);
  }
}

/** Refuses before anything is planned what every change would be refused for. */
export async function refuseWrongKey({ sealingKey }: Services): Promise<void> {
  await sealingKey.settle();
  const check = await sealingKey.check();
  if (check.isReady) return;
  throw new Refusal(`this command needs the ENCRYPTION_KEY of the service. ${check.reason ?? ''}`);
}

function refuseEndpoint({ credentials }: Services, settings: Readonly<Record<string, unknown>>): void {
  try {
    credentials.refuseEndpoint(settings);
  } catch (error) {
    throw asRefusal(error);
  }
}

/** Yields pages, so that any number of tenants fits in memory. */
async function* allTenants({ tenants }: Services): AsyncGenerator<Tenant[]> {
  for (let cursor: string | null | undefined = undefined; cursor !== null;) {
    const page: Awaited<ReturnType<typeof tenants.list>> = await tenants.list({
      limit: 1000,
      ...(cursor !== undefined && { cursor }),
    });
    yield page.items;
    cursor = page.nextCursor;
  }
}

/** Finds tenants by id, then by exact name. One unknown tenant refuses the whole command: the list may be the wrong one. */
async function namedTenants(services: Services, names: readonly string[]): Promise<Tenant[]> {
  const wanted = new Set(names.flatMap((name) => [name, name.toLowerCase()]));
  const byId = new Map<string, Tenant>();
  const byName = new Map<string, Tenant>();
  for await (const page of allTenants(services)) {
    for (const tenant of page) {
      if (wanted.has(tenant.id)) byId.set(tenant.id, tenant);
      if (wanted.has(tenant.name)) byName.set(tenant.name, tenant);
    }
  }
  const tenants = names.map((name, index) => {
    const tenant = byId.get(name.toLowerCase()) ?? byName.get(name);
    if (tenant) return tenant;
    // The message names the position and not the text, which may be a secret that was pasted by mistake.
    throw new Refusal(`there is no tenant with the name or id at position ${index + 1} of --tenants`);
  });
  return [...new Set(tenants)];
}

/** @returns the number of tenants for which it failed */
async function adopt(
  { credentials }: Services,
  provider: Provider,
  fields: CredentialFields,
  pages: Iterable<readonly Tenant[]> | AsyncIterable<readonly Tenant[]>,
  { replace, yes }: Pick<Plan, 'replace' | 'yes'>,
): Promise<number> {
  const counts = { tenants: 0, set: 0, skipped: 0, failed: 0 };
  for await (const tenants of pages) {
    const overview = await credentials.overview(tenants.map(({ id }) => id));
    counts.tenants += tenants.length;
    for (const { id, name } of tenants) {
      const report = (result: string) =>
        void process.stdout.write(`  ${result.padEnd(11)} ${name} (${id})\n`);
      const stored = overview.get(id)?.listed(provider.id);
      if (stored && !replace) {
        const isUsable = !unusableStatuses.includes(stored.status);
        counts[isUsable ? 'skipped' : 'failed'] += 1;
        report(isUsable ? `has ${stored.mask}` : `failed: has ${stored.mask}, ${stored.status}`);
        continue;
      }
      if (!yes) {
        counts.set += 1;
        report(stored ? 'would replace' : 'would set');
        continue;
      }
      try {
        const by = changedByCommand();
        const set = replace
          ? await credentials.set(id, provider, fields, by, { origin: 'adopt-global-keys' })
          : await credentials.setIfAbsent(id, provider, fields, by, { origin: 'adopt-global-keys' });
        counts[set ? 'set' : 'skipped'] += 1;
        report(set ? 'set' : 'has one');
      } catch (error) {
        // The remaining tenants would fail in the same way.
        if (isDatabaseUnavailable(error)) throw error;
        counts.failed += 1;
        report(`failed: ${(error as Error).name}`);
      }
    }
  }
  const set = yes ? `${counts.set} set` : `${counts.set} to set`;
  const failed = counts.failed > 0 ? `, ${counts.failed} failed` : '';
  const plan = yes ? '' : ' Nothing was changed; --yes carries out the plan.';
  process.stdout.write(
    `${counts.tenants} ${counts.tenants === 1 ? 'tenant' : 'tenants'}: ${set}, ${counts.skipped} skipped${failed}.${plan}\n`,
  );
  return counts.failed;
}
