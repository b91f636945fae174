import { randomUUID } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { Command, CommandRunner, Help, Option } from 'nest-commander';
import { type Config } from '#config';
import { type CredentialStatus } from '#credentials';
import { type Provider } from '#providers';
import { type Tenant } from '#tenants';
import { type LoadedConfig, loadedConfig } from './audit-verify.command';
import { exitCodes, exitOnUsage, Refusal, refuseUsage } from './command-line';
import { type Vault, withVault } from './services';

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
    'Copy the global key of a provider to named tenants, before strict mode is switched on. Shows the plan; --yes does it.',
})
export class AdoptGlobalKeysCommand extends CommandRunner {
  constructor(@Inject(loadedConfig) private readonly configured: LoadedConfig) {
    super();
  }

  override setCommand(command: Parameters<CommandRunner['setCommand']>[0]): this {
    return super.setCommand(command.exitOverride(exitOnUsage));
  }

  async run(words: string[], options: AdoptOptions = {}): Promise<void> {
    const { tenants, all = false, replace = false, yes = false } = options;
    if (words.length > 0) refuseUsage(this.command, 'adopt-global-keys takes options only');
    const { findProvider, providers } = await import('#providers');
    const provider = findProvider(options.provider ?? '');
    if (!provider) {
      refuseUsage(this.command, `--provider is one of ${providers.map(({ id }) => id).join(', ')}`);
    }
    if (all === (tenants !== undefined)) refuseUsage(this.command, 'give either --tenants or --all');
    if (tenants?.some((name) => name === '')) refuseUsage(this.command, '--tenants is a list as in a,b');
    const config = await this.configured();
    const fields = await globalFields(config, provider);
    const failed = await withVault(config, async (vault) => {
      process.stdout.write(
        `${provider.label} (${provider.id}): ${fields.apiKey.mask} of ${provider.globalVariables.apiKey}\n`,
      );
      await refuseWrongKey(vault);
      await refuseEndpoint(vault, fields.settings);
      const pages = all ? allTenants(vault) : [await namedTenants(vault, tenants ?? [])];
      return adopt(vault, provider, fields, pages, { replace, yes });
    });
    if (failed > 0) process.exitCode = exitCodes.faults;
  }

  @Option({ flags: '--provider <id>', description: 'whose global key' })
  provider(text: string): string {
    return text;
  }

  @Option({ flags: '--tenants <a,b>', description: 'names or ids of tenants' })
  tenants(text: string): string[] {
    return text.split(',').map((name) => name.trim());
  }

  @Option({ flags: '--all', description: 'every tenant' })
  all(): boolean {
    return true;
  }

  @Option({ flags: '--replace', description: 'also where a tenant has a credential: it is lost' })
  replace(): boolean {
    return true;
  }

  @Option({ flags: '--yes', description: 'do it; without it the plan is printed and nothing changed' })
  yes(): boolean {
    return true;
  }

  @Help('after')
  example(): string {
    return [
      '',
      'Needs the database, ENCRYPTION_KEY and the global key, in single-tenant mode. From then on the tenants have',
      'the key as their own: changing the variable changes theirs no more.',
      'A credential that a tenant has and calls cannot use counts as failed; --replace sets it anew.',
      'Exit code: 0 when done or planned, 1 when something cannot be done, 2 for wrong usage, 3 when it broke off, as without',
      'a database: what it printed until then is done.',
      '',
      'Examples:',
      '  npm run cli -- adopt-global-keys --provider openai --all',
      '  npm run cli -- adopt-global-keys --provider openai --tenants sundsvall,harnosand --yes',
    ].join('\n');
  }
}

/** The global key and its settings, checked as a PUT is: of what is not set, the start says nothing. */
async function globalFields(config: Config, provider: Provider) {
  const name = provider.globalVariables.apiKey;
  if (config.tenantCredentialsEnabled) {
    throw new Refusal(
      'in strict mode global keys are not read. Run this with TENANT_CREDENTIALS_ENABLED=false in its environment; the service need not be restarted for it.',
    );
  }
  if (config.encryptionKeys.current === undefined) {
    throw new Refusal(
      'ENCRYPTION_KEY is not set, and keys cannot be sealed without it. npm run generate-encryption-key prints a line for .env.',
    );
  }
  const found = config.globalCredential(provider);
  if (!found) throw new Refusal(`${name} is not set`);
  const { validFields } = await import('#credentials');
  const { Problem } = await import('#http');
  try {
    return validFields(provider, { api_key: found.apiKey.expose(), ...found.settings });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const faults = (error.details.errors ?? []).map(({ message }) => message).join('; ');
    throw new Refusal(`the global ${provider.label} credential is not valid: ${faults}`);
  }
}

/** What is sealed under another key than the service's would be unreadable to it, in place of the key that it had. */
async function refuseWrongKey({ canary }: Vault): Promise<void> {
  const check = await canary.checkBeforeSealing();
  if (check.isReady) return;
  throw new Refusal(
    `this needs the ENCRYPTION_KEY of the service, which has to read what is sealed here. ${check.reason ?? ''}`,
  );
}

async function refuseEndpoint(
  { credentials }: Vault,
  settings: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { Problem } = await import('#http');
  try {
    credentials.refuseEndpoint(settings);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Refusal(`${error.message} ${error.details.hint ?? ''}`.trim());
  }
}

/** A page at a time, so that many tenants need no memory. */
async function* allTenants({ tenants }: Vault): AsyncGenerator<Tenant[]> {
  for (let cursor: string | null | undefined = undefined; cursor !== null;) {
    const page: Awaited<ReturnType<typeof tenants.list>> = await tenants.list({
      limit: 1000,
      ...(cursor !== undefined && { cursor }),
    });
    yield page.items;
    cursor = page.nextCursor;
  }
}

/** By id, else by the exact name. One that is not there stops it all: the rest may depend on it. */
async function namedTenants(vault: Vault, names: readonly string[]): Promise<Tenant[]> {
  const asked = new Set(names.flatMap((name) => [name, name.toLowerCase()]));
  const byId = new Map<string, Tenant>();
  const byName = new Map<string, Tenant>();
  for await (const page of allTenants(vault)) {
    for (const tenant of page) {
      if (asked.has(tenant.id)) byId.set(tenant.id, tenant);
      if (asked.has(tenant.name)) byName.set(tenant.name, tenant);
    }
  }
  const found = names.map((name, index) => {
    const tenant = byId.get(name.toLowerCase()) ?? byName.get(name);
    // Its position and not its text, which may be anything that was pasted.
    if (!tenant)
      throw new Refusal(`there is no tenant with the name or id at place ${index + 1} of --tenants`);
    return tenant;
  });
  return [...new Set(found)];
}

/** Of a stored credential that no call can use: to its tenant it is as good as none, and it is in the way of one. */
const unusable: readonly CredentialStatus[] = ['plaintext', 'unreadable', 'tampered'];

/** @returns how many could not be done */
async function adopt(
  { credentials }: Vault,
  provider: Provider,
  fields: Awaited<ReturnType<typeof globalFields>>,
  pages: Iterable<readonly Tenant[]> | AsyncIterable<readonly Tenant[]>,
  { replace, yes }: { readonly replace: boolean; readonly yes: boolean },
): Promise<number> {
  const { isDatabaseUnavailable } = await import('#database');
  const counts = { tenants: 0, set: 0, skipped: 0, failed: 0 };
  for await (const tenants of pages) {
    const overview = await credentials.overview(tenants.map(({ id }) => id));
    counts.tenants += tenants.length;
    for (const { id, name } of tenants) {
      const say = (what: string) => void process.stdout.write(`  ${what.padEnd(11)} ${name} (${id})\n`);
      const stored = overview.get(id)?.listed(provider.id);
      if (stored && !replace) {
        const isUsable = !unusable.includes(stored.status);
        counts[isUsable ? 'skipped' : 'failed'] += 1;
        say(isUsable ? `has ${stored.mask}` : `failed: has ${stored.mask}, ${stored.status}`);
        continue;
      }
      if (!yes) {
        counts.set += 1;
        say(stored ? 'would replace' : 'would set');
        continue;
      }
      try {
        const by = { actor: 'cli', requestId: randomUUID(), address: 'local' };
        const set = replace
          ? await credentials.set(id, provider, fields, by, { origin })
          : await credentials.setIfAbsent(id, provider, fields, by, { origin });
        counts[set ? 'set' : 'skipped'] += 1;
        say(set ? 'set' : 'has one');
      } catch (error) {
        // It would fail for each of the rest alike.
        if (isDatabaseUnavailable(error)) throw error;
        counts.failed += 1;
        say(`failed: ${(error as Error).name}`);
      }
    }
  }
  const done = yes ? `${counts.set} set` : `${counts.set} to set`;
  const failed = counts.failed > 0 ? `, ${counts.failed} failed` : '';
  const rest = yes ? '' : ' Nothing was changed; --yes does it.';
  process.stdout.write(
    `${counts.tenants} ${counts.tenants === 1 ? 'tenant' : 'tenants'}: ${done}, ${counts.skipped} skipped${failed}.${rest}\n`,
  );
  return counts.failed;
}
