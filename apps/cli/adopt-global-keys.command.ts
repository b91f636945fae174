import { randomUUID } from 'node:crypto';
import { Command, CommandRunner, Help, Option } from 'nest-commander';
import { type Config } from '#config';
import { type CredentialStatus, validFields } from '#credentials';
import { isDatabaseUnavailable } from '#database';
import { Problem } from '#http';
import { findProvider, type Provider, providers } from '#providers';
import { type Tenant } from '#tenants';
import { exitCodes, Refusal } from './command-line';
import { type Services, withServices } from './services';
import { SettingsService } from './settings.service';

const origin = 'adopt-global-keys';

interface AdoptOptions {
  readonly provider?: string;
  readonly tenants?: readonly string[];
  readonly all?: boolean;
  readonly replace?: boolean;
  readonly yes?: boolean;
}

@Command({
  name: origin,
  description:
    'Copy the global key of a provider to tenants, as a preparation for strict mode. Prints the plan; --yes carries it out.',
})
export class AdoptGlobalKeysCommand extends CommandRunner {
  constructor(private readonly settings: SettingsService) {
    super();
  }

  async run(_words: string[], options: AdoptOptions): Promise<void> {
    const { tenants, all = false, replace = false, yes = false } = options;
    const provider =
      findProvider(options.provider ?? '') ??
      this.command.error(`error: --provider must be one of ${providers.map(({ id }) => id).join(', ')}`);
    if (all === (tenants !== undefined)) this.command.error('error: give either --tenants or --all');
    if (tenants?.includes('')) this.command.error('error: --tenants must be a list such as a,b');
    const config = await this.settings.load();
    const fields = globalFields(config, provider);
    const failed = await withServices(config, async (services) => {
      process.stdout.write(
        `${provider.label} (${provider.id}): ${fields.apiKey.mask} of ${provider.globalVariables.apiKey}\n`,
      );
      await refuseWrongKey(services);
      refuseEndpoint(services, fields.settings);
      const pages = all ? allTenants(services) : [await namedTenants(services, tenants ?? [])];
      return adopt(services, provider, fields, pages, { replace, yes });
    });
    if (failed > 0) process.exitCode = exitCodes.fault.code;
  }

  @Option({ flags: '--provider <id>', description: 'the provider whose global key is copied' })
  provider(text: string): string {
    return text;
  }

  @Option({ flags: '--tenants <a,b>', description: 'names or ids of tenants' })
  tenants(text: string): string[] {
    return text.split(',').map((name) => name.trim());
  }

  @Option({ flags: '--all', description: 'all tenants' })
  all(): boolean {
    return true;
  }

  @Option({ flags: '--replace', description: 'overwrite the credentials that tenants already have' })
  replace(): boolean {
    return true;
  }

  @Option({ flags: '--yes', description: 'carry out the plan; without it nothing changes' })
  yes(): boolean {
    return true;
  }

  @Help('after')
  notes(): string {
    return `
Needs the database, ENCRYPTION_KEY and the global key, in single-tenant mode. The key becomes the tenants' own: a later
change of the variable does not change it.
A tenant that has a credential keeps it. A credential that no call can use counts as failed. --replace overwrites both.
If the command could not finish, everything that it printed is done.

Examples:
  npm run cli -- adopt-global-keys --provider openai --all
  npm run cli -- adopt-global-keys --provider openai --tenants sundsvall,harnosand --yes`;
  }
}

/** The global key and its settings, validated like the body of a PUT: a start does not check that they are complete. */
function globalFields(config: Config, provider: Provider) {
  const name = provider.globalVariables.apiKey;
  if (config.tenantCredentialsEnabled) {
    throw new Refusal(
      'in strict mode global keys are not read. Run this command with TENANT_CREDENTIALS_ENABLED=false in its environment; the service need not be restarted.',
    );
  }
  if (config.encryptionKeys.current === undefined) {
    throw new Refusal(
      'ENCRYPTION_KEY is not set, and keys cannot be sealed without it. npm run generate-encryption-key prints a line for .env.',
    );
  }
  const credential = config.globalCredential(provider);
  if (!credential) throw new Refusal(`${name} is not set`);
  try {
    return validFields(provider, { api_key: credential.apiKey.expose(), ...credential.settings });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const faults = (error.details.errors ?? []).map(({ message }) => message).join('; ');
    throw new Refusal(`the global ${provider.label} credential is not valid: ${faults}`);
  }
}

/** The service could not read a credential that is sealed with another key than its own. */
async function refuseWrongKey({ canary }: Services): Promise<void> {
  const check = await canary.checkBeforeSealing();
  if (check.isReady) return;
  throw new Refusal(
    `this command needs the ENCRYPTION_KEY of the service, which must be able to read what is sealed here. ${check.reason ?? ''}`,
  );
}

function refuseEndpoint({ credentials }: Services, settings: Readonly<Record<string, unknown>>): void {
  try {
    credentials.refuseEndpoint(settings);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Refusal(`${error.message} ${error.details.hint ?? ''}`.trim());
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

/** The states in which no call can use a stored credential. */
const unusable: readonly CredentialStatus[] = ['plaintext', 'unreadable', 'tampered'];

/** @returns the number of tenants for which it failed */
async function adopt(
  { credentials }: Services,
  provider: Provider,
  fields: ReturnType<typeof globalFields>,
  pages: Iterable<readonly Tenant[]> | AsyncIterable<readonly Tenant[]>,
  { replace, yes }: { readonly replace: boolean; readonly yes: boolean },
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
        const isUsable = !unusable.includes(stored.status);
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
        const by = { actor: 'cli', requestId: randomUUID(), address: 'local' };
        const set = replace
          ? await credentials.set(id, provider, fields, by, { origin })
          : await credentials.setIfAbsent(id, provider, fields, by, { origin });
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
