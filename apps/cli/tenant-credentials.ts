import { checkedBody, type CredentialFields, unusableStatuses, validFields } from '#credentials';
import { isDatabaseUnavailable } from '#database';
import { Problem } from '#http';
import { type Provider, type ProviderRegistry } from '#providers';
import { type Tenant } from '#tenants';
import { asRefusal, changedByCommand, Refusal } from './command-line';
import { type Services } from './services';

/** How commands that store one credential for many tenants do it. */
export interface StoringOptions {
  /** True: overwrite the credentials that tenants have. */
  readonly replace: boolean;
  /** False: only say what would be done. */
  readonly yes: boolean;
  /** The command, for the audit. */
  readonly origin: string;
}

/** What happened, or would happen, to the credential of one tenant. */
export interface Stored {
  readonly tenant: Tenant;
  readonly outcome: 'set' | 'skipped' | 'failed';
  /** The outcome in words, for people. */
  readonly result: string;
}

/**
 * The fields of a credential, validated like the body of a PUT.
 * @returns what is wrong with them, if anything is; the texts contain no values
 */
export function fieldsOf(
  providers: ProviderRegistry,
  provider: Provider,
  body: Readonly<Record<string, unknown>>,
): { fields: CredentialFields } | { faults: string } {
  try {
    return { fields: validFields(providers, provider, checkedBody(provider, body)).fields };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { faults: (error.details.errors ?? []).map(({ message }) => message).join('; ') };
  }
}

/**
 * Refuses before anything is planned what every change would be refused for.
 * @param settles false: writes nothing, not even which encryption key seals
 */
export async function refuseWrongKey(
  { sealingKey }: Pick<Services, 'sealingKey'>,
  settles = true,
): Promise<void> {
  if (settles) await sealingKey.settle();
  const check = await sealingKey.check();
  if (check.isReady) return;
  throw new Refusal(`this command needs the ENCRYPTION_KEY of the service. ${check.reason ?? ''}`);
}

/** Yields pages, so that any number of tenants fits in memory. */
export async function* allTenants({ tenants }: Services): AsyncGenerator<Tenant[]> {
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
export async function namedTenants(services: Services, names: readonly string[]): Promise<Tenant[]> {
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

/** Stores a credential for each tenant, and yields what it does, one tenant after the other. */
export async function* storeForTenants(
  { credentials }: Services,
  provider: Provider,
  fields: CredentialFields,
  pages: Iterable<readonly Tenant[]> | AsyncIterable<readonly Tenant[]>,
  { replace, yes, origin }: StoringOptions,
): AsyncGenerator<Stored> {
  for await (const tenants of pages) {
    const overview = await credentials.overview(tenants.map(({ id }) => id));
    for (const tenant of tenants) {
      const existing = overview.get(tenant.id);
      const stored = existing?.listed(provider.id);
      const isSame = existing?.differing(provider, fields)?.length === 0;
      if (stored && (isSame || !replace)) {
        const isUsable = !unusableStatuses.includes(stored.status);
        yield isUsable
          ? { tenant, outcome: 'skipped', result: `has ${stored.mask}` }
          : { tenant, outcome: 'failed', result: `failed: has ${stored.mask}, ${stored.status}` };
      } else if (!yes) yield { tenant, outcome: 'set', result: stored ? 'would replace' : 'would set' };
      else yield await storeFor(tenant);
    }
  }

  async function storeFor(tenant: Tenant): Promise<Stored> {
    try {
      const by = changedByCommand();
      const set = replace
        ? await credentials.set(tenant.id, provider, fields, by, { origin })
        : await credentials.setIfAbsent(tenant.id, provider, fields, by, { origin });
      return set
        ? { tenant, outcome: 'set', result: 'set' }
        : { tenant, outcome: 'skipped', result: 'has one' };
    } catch (error) {
      // The remaining tenants would fail in the same way.
      if (isDatabaseUnavailable(error)) throw error;
      return { tenant, outcome: 'failed', result: `failed: ${(asRefusal(error) as Error).message}` };
    }
  }
}
