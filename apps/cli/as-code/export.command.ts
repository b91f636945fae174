import { Command } from 'commander';
import { Document, YAMLMap } from 'yaml';
import { type ProviderRegistry } from '#providers';
import { type Settings } from '../settings';
import { type StoredTenant } from './tenant-plan';

export function exportCommand(settings: Settings): Command {
  return new Command('export')
    .description(
      'Print a tenants file that describes all tenants, their credentials and the limits of their keys. It contains no secrets, and decrypts nothing.',
    )
    .addHelpText(
      'after',
      `
The file is for npx tenkey plan and apply. It says nothing about the keys of credentials, so that they stay as they are. To
install the tenants in another database, add api_key_env or api_key_file to each credential.

Example:
  npx tenkey export > tenants.yml`,
    )
    .action(async () => {
      const config = await settings.load();
      const { catalogueOf, withServices } = await import('../services.js');
      const { storedTenants } = await import('./desired-state.js');
      const { providers } = catalogueOf(config);
      await withServices(config, async (services) => {
        let isEmpty = true;
        for await (const page of storedTenants(services)) {
          for (const stored of page) {
            // Each tenant is printed at once, so that any number of them fits in memory.
            process.stdout.write(`${isEmpty ? 'tenants:\n' : ''}${textOf(stored, providers)}`);
            isEmpty = false;
          }
        }
        if (isEmpty) process.stdout.write('tenants: []\n');
      });
    });
}

/** An item of the list `tenants`. */
function textOf(stored: StoredTenant, providers: ProviderRegistry): string {
  const document = new Document([describe(stored)]);
  const item = document.get(0) as YAMLMap;
  const credentials = item.get('credentials');
  for (const { provider, mask, status } of stored.credentials.all()) {
    const key = credentials instanceof YAMLMap ? keyNode(document, credentials, provider) : undefined;
    if (key === undefined) continue;
    const isDeclared = providers.find(provider) !== undefined;
    key.commentBefore = ` ${mask}, ${status}${isDeclared ? '' : '; the model catalogue does not declare this provider'}`;
  }
  return document.toString({ lineWidth: 0 }).replace(/^(?=.)/gm, '  ');
}

/** The key of a pair as a node, which can have a comment. */
function keyNode(document: Document, map: YAMLMap, name: string) {
  const pair = map.items.find(({ key }) => String(key) === name);
  if (pair === undefined) return undefined;
  const node = document.createNode(name);
  pair.key = node;
  return node;
}

/** A tenant as the file describes it. What is null is left out, so that it stays as it is. */
function describe({ tenant, credentials, keys }: StoredTenant) {
  return withoutNulls({
    id: tenant.id,
    name: tenant.name,
    display_name: tenant.displayName,
    contact_email: tenant.contactEmail,
    state: tenant.state,
    expected_providers: tenant.expectedProviders,
    allowed_hosting: tenant.allowedHosting,
    allowed_providers: tenant.allowedProviders,
    egress_allow: tenant.egressAllow,
    credentials: Object.fromEntries(
      credentials
        .all()
        .map(({ provider, settings, expiresAt }) => [
          provider,
          withoutNulls({ ...settings, expires_at: expiresAt?.toISOString() ?? null }),
        ]),
    ),
    keys: keys.map((key) =>
      withoutNulls({
        id: key.id,
        name: key.name,
        allowed_models: key.allowedModels,
        requests_per_minute: key.requestsPerMinute,
        tokens_per_minute: key.tokensPerMinute,
        expires_at: key.expiresAt?.toISOString() ?? null,
      }),
    ),
  });
}

function withoutNulls(fields: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
