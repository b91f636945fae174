import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type CreatedSysadminKeyResponse,
  type CreatedTenantKeyResponse,
  type CreateSysadminKeyRequest,
  type CreateTenantKeyRequest,
  type RemovedKeyResponse,
  type SysadminKeyListResponse,
  type TenantKeyListResponse,
} from '#issued-keys';
import { commandGroup, confirm } from '../../command-line';
import { type Columns, jsonLine } from '../../output';
import { type Settings } from '../../settings';
import { checkedKeyId } from '../api';
import { note } from '../printer';
import { remoteCommand, type Run, yesOption } from '../remote-command';

type TenantKey = TenantKeyListResponse['items'][number];
type SysadminKey = SysadminKeyListResponse['items'][number];

const common: Columns<TenantKey | SysadminKey> = {
  id: (key) => key.id,
  name: (key) => key.name,
  key: (key) => key.masked_key,
  status: (key) => key.status,
  expires_at: (key) => key.expires_at,
  last_used_at: (key) => key.last_used_at,
};
const tenantKeyColumns: Columns<TenantKey> = {
  ...common,
  models: (key) => key.allowed_models?.join(' ') ?? 'all',
  requests_per_minute: (key) => key.requests_per_minute,
  tokens_per_minute: (key) => key.tokens_per_minute,
};
const sysadminKeyColumns: Columns<SysadminKey> = {
  ...common,
  scopes: (key) => key.scopes.join(' '),
  tenants: (key) => key.tenant_ids?.join(' ') ?? 'all',
};

const createdNote =
  'The new key is printed to standard output, and everything else to standard error, so that > key.txt stores the key alone. It is shown only now.';

export function keysCommand(settings: Settings): Command {
  return commandGroup('keys', "List, create and revoke a tenant's keys, which open the platform API.", [
    remoteCommand(settings, {
      name: 'list',
      scope: 'keys:write',
      description: "List a tenant's keys, newest first. The keys themselves are not shown.",
      arguments: ['<tenant>'],
      hasCsv: true,
      examples: ['keys list sundsvall'],
      run: async ({ api, print, args: [tenant] }) =>
        print.list(
          [await api.get<TenantKeyListResponse>(`${await api.tenantPath(tenant)}/keys`)],
          ({ items }) => items,
          tenantKeyColumns,
        ),
    }),
    remoteCommand<{
      models?: string[];
      requestsPerMinute?: number;
      tokensPerMinute?: number;
      expiresAt?: string;
    }>(settings, {
      name: 'create',
      scope: 'keys:write',
      description: "Create a key for a tenant's applications.",
      arguments: ['<tenant>', '<name>'],
      options: [
        new Option('--models <a,b>', 'the only models that it may call; without it: all').argParser(names),
        new Option(
          '--requests-per-minute <number>',
          'how many requests in any 60 seconds; without it: no limit',
        ).argParser(limit),
        new Option(
          '--tokens-per-minute <number>',
          'how many tokens in any 60 seconds; without it: no limit',
        ).argParser(limit),
        expiresAtOption(),
      ],
      notes: createdNote,
      examples: [
        'keys create sundsvall "chat assistant" > key.txt',
        'keys create sundsvall pilot --models gpt-4o --requests-per-minute 60 --expires-at 2099-01-31T00:00:00Z',
      ],
      run: async (run) => {
        const { models, requestsPerMinute, tokensPerMinute, expiresAt } = run.options;
        const [tenant, name] = run.args;
        const body: CreateTenantKeyRequest = {
          name,
          allowed_models: models,
          requests_per_minute: requestsPerMinute,
          tokens_per_minute: tokensPerMinute,
          expires_at: expiresAt,
        };
        const path = `${await run.api.tenantPath(tenant)}/keys`;
        const created = await run.api.post<CreatedTenantKeyResponse>(path, body);
        showCreated(run, created);
        for (const warning of created.warnings ?? []) note(`warning: ${warning}`);
      },
    }),
    remoteCommand<{ yes?: boolean }>(settings, {
      name: 'revoke',
      scope: 'keys:write',
      description: "Revoke a tenant's key, which then opens nothing. Asks first; this cannot be undone.",
      arguments: ['<tenant>', '<key-id>'],
      options: [yesOption()],
      examples: ['keys revoke sundsvall BoT0VjF9rQ2'],
      run: async (run) => {
        const [tenant, keyId] = run.args;
        const id = checkedKeyId(keyId);
        await revoke(run, `${await run.api.tenantPath(tenant)}/keys/${id}`);
      },
    }),
  ]);
}

export function sysadminKeysCommand(settings: Settings): Command {
  return commandGroup(
    'sysadmin-keys',
    'List, create and revoke the keys that open parts of the sysadmin API.',
    [
      remoteCommand(settings, {
        name: 'list',
        scope: 'super',
        description: 'List the sysadmin keys, newest first. The keys themselves are not shown.',
        hasCsv: true,
        examples: ['sysadmin-keys list'],
        run: async ({ api, print }) =>
          print.list(
            [await api.get<SysadminKeyListResponse>('/keys')],
            ({ items }) => items,
            sysadminKeyColumns,
          ),
      }),
      remoteCommand<{ scopes: string[]; tenants?: string[]; expiresAt?: string }>(settings, {
        name: 'create',
        scope: 'super',
        description: 'Create a key that opens those routes of the sysadmin API that its scopes allow.',
        arguments: ['<name>'],
        options: [
          new Option(
            '--scopes <a,b>',
            'comma-separated: tenants:read, tenants:write, credentials:read, credentials:write, keys:write, usage:read, audit:read, readiness:read, encryption:rotate',
          )
            .argParser(names)
            .makeOptionMandatory(),
          new Option(
            '--tenants <a,b>',
            'ids or names of those tenants that it may see or change; without it: all',
          ).argParser(names),
          expiresAtOption(),
        ],
        notes: createdNote,
        examples: [
          'sysadmin-keys create dashboard --scopes tenants:read,credentials:read > key.txt',
          'sysadmin-keys create onboarding --scopes credentials:write --tenants sundsvall --expires-at 2099-01-31T00:00:00Z',
        ],
        run: async (run) => {
          const { scopes, tenants, expiresAt } = run.options;
          const tenantIds: string[] = [];
          for (const tenant of tenants ?? []) tenantIds.push(await run.api.tenantId(tenant));
          const body: CreateSysadminKeyRequest = {
            name: run.args[0],
            // The API refuses a scope that it does not know, and lists those that it does.
            scopes: scopes as CreateSysadminKeyRequest['scopes'],
            expires_at: expiresAt,
            ...(tenants && { tenant_ids: tenantIds }),
          };
          showCreated(run, await run.api.post<CreatedSysadminKeyResponse>('/keys', body));
        },
      }),
      remoteCommand<{ yes?: boolean }>(settings, {
        name: 'revoke',
        scope: 'super',
        description: 'Revoke a sysadmin key, which then opens nothing. Asks first; this cannot be undone.',
        arguments: ['<key-id>'],
        options: [yesOption()],
        examples: ['sysadmin-keys revoke BoT0VjF9rQ2 --yes'],
        run: (run) => revoke(run, `/keys/${checkedKeyId(run.args[0])}`),
      }),
    ],
  );
}

function showCreated(
  { options }: Run<object>,
  created: CreatedTenantKeyResponse | CreatedSysadminKeyResponse,
): void {
  process.stdout.write(options.json ? jsonLine(created) : `${created.key}\n`);
  note(`The key ${created.name} (${created.id}) is created. Store it now: it is not shown again.`);
}

async function revoke({ api, print, options }: Run<{ yes?: boolean }>, path: string): Promise<void> {
  if (!options.yes) await confirm('Revoke this key? What uses it then fails.');
  const result = await api.delete<RemovedKeyResponse>(path);
  print.message(result, result.message);
}

const expiresAtOption = () =>
  new Option('--expires-at <time>', 'when it expires, such as 2099-01-31T00:00:00Z; without it: never');

function names(text: string): string[] {
  const list = text.split(',').map((name) => name.trim());
  if (list.every((name) => name !== '')) return list;
  throw new InvalidArgumentError('It must be a list such as a,b.');
}

function limit(text: string): number {
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}
