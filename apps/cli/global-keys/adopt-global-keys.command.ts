import { resolve } from 'node:path';
import { Command } from 'commander';
import { type Config, type GlobalCredential } from '#config';
import { type Provider } from '#providers';
import { exitCodes, Refusal } from '../command-line';
import { type Settings } from '../settings';

interface AdoptOptions {
  readonly provider?: string;
  readonly tenants?: readonly string[];
  readonly all?: boolean;
  readonly replace?: boolean;
  readonly yes?: boolean;
}

export function adoptGlobalKeysCommand(settings: Settings): Command {
  return new Command('adopt-global-keys')
    .description(
      'Copy the global key of a provider to tenants, to prepare for strict mode. Prints the plan; --yes carries it out.',
    )
    .option('--provider <id>', 'the provider whose global key to copy')
    .option('--tenants <a,b>', 'names or ids of tenants', (text: string) =>
      text.split(',').map((name) => name.trim()),
    )
    .option('--all', 'all tenants')
    .option('--replace', 'overwrite the credentials that tenants already have')
    .option('--yes', 'carry out the plan; without it nothing changes')
    .addHelpText(
      'after',
      `
Needs the database, ENCRYPTION_KEY and the global key, and TENANT_CREDENTIALS_ENABLED=false. Each tenant gets a copy of
the key, which does not change when the variable changes later.
A tenant that has a credential keeps it. If no call can use that credential, the tenant counts as failed. --replace
overwrites the credential in either case.
If the command stops early, everything that it has printed is done.

Examples:
  npx tenkey adopt-global-keys --provider openai --all
  npx tenkey adopt-global-keys --provider openai --tenants sundsvall,harnosand --yes`,
    )
    .action(async (options: AdoptOptions, command: Command) => {
      const { tenants, all = false, replace = false, yes = false } = options;
      const provider = await providerOf(settings, options.provider ?? '', command);
      if (all === (tenants !== undefined)) command.error('error: give either --tenants or --all');
      if (tenants?.includes('')) command.error('error: --tenants must be a list such as a,b');
      const config = await settings.load();
      const credential = globalCredentialOf(config, provider);
      const { adoptGlobalKey } = await import('./adopt-global-key.js');
      const failed = await adoptGlobalKey(config, provider, credential, { tenants, replace, yes });
      if (failed > 0) process.exitCode = exitCodes.fault.code;
    });
}

/** The catalogue is read only for a provider that may be declared there. */
async function providerOf(settings: Settings, id: string, command: Command): Promise<Provider> {
  const { ProviderRegistry } = await import('#providers');
  const fixed = new ProviderRegistry().find(id);
  if (fixed) return fixed;
  const { ModelCatalogue, shippedModelsFile } = await import('#model-routing');
  const file = resolve((await settings.modelsFile()) ?? shippedModelsFile());
  const { providers } = ModelCatalogue.load(file);
  const ids = providers.all.map((each) => each.id).join(', ');
  return providers.find(id) ?? command.error(`error: --provider must be one of ${ids}`);
}

/** The refusals that need neither the database nor the libraries that the command uses. */
function globalCredentialOf(config: Config, provider: Provider): GlobalCredential {
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
  if (!credential)
    throw new Refusal(
      `${name} is not set. Run the command with the settings of the service, which have the global key`,
    );
  return credential;
}
