import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type ListCredentialsResponse,
  type RemoveCredentialResponse,
  type SetCredentialResponse,
  type SwappedCredentialResponse,
  type VerifyCredentialResponse,
} from '#credentials';
import { commandGroup, confirm, exitCodes } from '../../command-line';
import { type Settings } from '../../settings';
import { filterOptions, type FilterOptions, hasFilter, listed, listedOfAll } from './listed-credentials';
import { note } from '../printer';
import { providerKey, type ProviderKeyOptions, providerKeyOptions } from '../provider-key';
import { remoteCommand, type Run, yesOption } from '../remote-command';
import { verifyAll, type VerifyAllOptions } from './verify-all';

interface SetOptions extends ProviderKeyOptions {
  readonly field?: Readonly<Record<string, unknown>>;
  readonly verify?: boolean;
  readonly stage?: boolean;
}

const credential = ['<tenant>', '<provider>'];

export function credentialsCommand(settings: Settings): Command {
  return commandGroup('credentials', "List, set, verify and replace tenants' credentials.", [
    remoteCommand<FilterOptions>(settings, {
      name: 'list',
      scope: 'credentials:read',
      description: 'List the credentials of a tenant, or of all tenants. Keys are shown as masks.',
      arguments: ['[tenant]'],
      options: filterOptions(),
      hasCsv: true,
      notes: 'Without a tenant, the live and staged credentials of all are listed, and no seal is checked.',
      examples: [
        'credentials list sundsvall',
        'credentials list --status rejected',
        'credentials list --csv > credentials.csv',
      ],
      check: ({ args: [tenant], options, command }) => {
        if (tenant !== '' && hasFilter(options)) {
          command.error('error: give either a tenant, or filters for the credentials of all tenants');
        }
      },
      run: async ({ api, print, args: [tenant], options }) => {
        if (tenant === '') return listedOfAll(api, print, options);
        const path = `${await api.tenantPath(tenant)}/credentials`;
        return print.list([await api.get<ListCredentialsResponse>(path)], listed.rows, listed.columns);
      },
    }),
    remoteCommand<SetOptions>(settings, {
      name: 'set',
      scope: 'credentials:write',
      description: "Set a tenant's credential. Calls use it at once; the key is never an argument.",
      arguments: credential,
      options: [...setOptions(), new Option('--stage', 'stage it, as the command stage does')],
      notes: `Without an option for the key, the command asks for it on the terminal and does not show it. The credential is
replaced as a whole: give every field with --field, such as --field endpoint=https://sundsvall.openai.azure.com.
The earlier key is lost. The command stage keeps it, and so allows a rollback.`,
      examples: [
        'credentials set sundsvall openai --verify',
        'credentials set sundsvall mistral --api-key-file /run/secrets/mistral',
        'credentials set sundsvall azure --field endpoint=https://sundsvall.openai.azure.com --field api_version=2024-10-21 --field deployment_name=gpt-4o',
      ],
      run: (run) => set(run, run.options.stage ?? false),
    }),
    remoteCommand<SetOptions>(settings, {
      name: 'stage',
      scope: 'credentials:write',
      description: 'Stage a credential next to the live one, which calls go on using until it is promoted.',
      arguments: credential,
      options: setOptions(),
      examples: ['credentials stage sundsvall openai --api-key-file new-key.txt'],
      run: (run) => set(run, true),
    }),
    remoteCommand<VerifyAllOptions & { slot?: string; all?: boolean }>(settings, {
      name: 'verify',
      scope: 'credentials:write',
      description: 'Ask the provider whether it accepts a stored key, at no cost. The exit code is 1 if not.',
      arguments: ['[tenant]', '[provider]'],
      options: [
        new Option('--slot <slot>', 'which credential: live (default), staged or previous')
          .choices(['live', 'staged', 'previous'])
          .conflicts('all'),
        new Option('--all', 'the live credentials of all tenants, in the background'),
        ...filterOptions(),
        new Option(
          '--resume',
          'with --all: follow the verification that is running, or continue a paused one',
        ),
      ],
      hasCsv: true,
      notes:
        'With --all, only the credentials that are not accepted are printed. The verification runs in Tenkey, and goes on after Ctrl-C.',
      examples: [
        'credentials verify sundsvall openai',
        'credentials verify sundsvall openai --slot staged',
        'credentials verify --all --provider openai',
      ],
      check: ({ args: [tenant, provider], options, command }) => {
        const { all = false, resume = false } = options;
        if (all ? tenant !== '' : provider === '') {
          command.error('error: give either a tenant and a provider, or --all');
        }
        if (!all && (resume || hasFilter(options))) command.error('error: filters and --resume need --all');
        if (resume && hasFilter(options))
          command.error('error: --resume keeps the filters of the verification');
      },
      run: async (run) => {
        const { api, print, args, options } = run;
        if (options.all) return verifyAll(run);
        const path = `${await api.credentialPath(...args)}/verify`;
        const result = await api.post<VerifyCredentialResponse>(path, undefined, { slot: options.slot });
        if (options.csv) await print.one(result, verified);
        else print.message(result, `${result.outcome}: ${result.message}`);
        if (result.outcome !== 'accepted') process.exitCode = exitCodes.fault.code;
      },
    }),
    remoteCommand<{ version?: string }>(settings, {
      name: 'promote',
      scope: 'credentials:write',
      description: 'Make the staged credential the live one, and keep the one that was live for a rollback.',
      arguments: credential,
      options: [new Option('--version <version>', 'only if this version is still the staged one')],
      examples: ['credentials promote sundsvall openai', 'credentials promote sundsvall openai --version 7'],
      run: async ({ api, print, args, options: { version } }) => {
        const path = `${await api.credentialPath(...args)}/promote`;
        const result = await api.post<SwappedCredentialResponse>(path, undefined, { version });
        print.message(result, result.message);
      },
    }),
    remoteCommand(settings, {
      name: 'rollback',
      scope: 'credentials:write',
      description: 'Undo the last promotion: the previous credential is live again.',
      arguments: credential,
      notes: `The previous credential is kept for CREDENTIAL_ROLLBACK_HOURS after the promotion. The one that was live is staged
instead, unless another one is staged already: then it is lost.`,
      examples: ['credentials rollback sundsvall openai'],
      run: async ({ api, print, args }) => {
        const result = await api.post<SwappedCredentialResponse>(
          `${await api.credentialPath(...args)}/rollback`,
        );
        print.message(result, result.message);
      },
    }),
    remoteCommand<{ slot?: string; yes?: boolean }>(settings, {
      name: 'delete',
      scope: 'credentials:write',
      description: "Delete a tenant's credential, in all slots or in one. Asks first; this cannot be undone.",
      arguments: credential,
      options: [
        new Option('--slot <slot>', 'only the staged or only the previous one').choices([
          'staged',
          'previous',
        ]),
        yesOption(),
      ],
      examples: [
        'credentials delete sundsvall openai',
        'credentials delete sundsvall openai --slot staged --yes',
      ],
      run: async ({ api, print, args, options: { slot, yes = false } }) => {
        const path = await api.credentialPath(...args);
        if (!yes) {
          await confirm(
            slot === undefined
              ? 'Delete this credential? Calls of the tenant to this provider then fail.'
              : `Delete the ${slot} credential?`,
          );
        }
        const result = await api.delete<RemoveCredentialResponse>(path, { slot });
        print.message(result, result.message);
      },
    }),
  ]);
}

const verified = {
  provider: (row: VerifyCredentialResponse) => row.provider,
  key: (row: VerifyCredentialResponse) => row.masked_key,
  version: (row: VerifyCredentialResponse) => row.version,
  outcome: (row: VerifyCredentialResponse) => row.outcome,
  message: (row: VerifyCredentialResponse) => row.message,
};

function setOptions(): Option[] {
  return [
    ...providerKeyOptions(),
    new Option(
      '--field <name=value>',
      'a field of the provider, or expires_at; may be repeated. A value that begins with { is JSON. docs/providers.md lists the fields',
    ).argParser(fields),
    new Option(
      '--verify',
      'ask the provider first; a key that it refuses is not stored. If the provider cannot be reached, it is',
    ),
  ];
}

/** Adds one field to those that were given before it. A value that is an object, such as `deployments`, is JSON. */
function fields(text: string, before: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const [, name, value] = /^([a-z][a-z0-9_]{0,39})=([^]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('It must have the form name=value.');
  }
  if (name === 'api_key') {
    throw new InvalidArgumentError(
      'The key must not be an argument, which others can read. Use --api-key-file, --api-key-env or --api-key-stdin, and replace this key if it is real.',
    );
  }
  return { ...before, [name]: value.startsWith('{') ? parsed(value) : value };
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new InvalidArgumentError('A value that begins with { must be JSON.');
  }
}

async function set(
  { api, print, args, options, settings }: Run<SetOptions>,
  isStaged: boolean,
): Promise<void> {
  const path = await api.credentialPath(...args);
  const body = { ...options.field, api_key: await providerKey(settings, options) };
  const result = await api.put<SetCredentialResponse>(path, body, {
    verify: String(options.verify ?? false),
    stage: String(isStaged),
  });
  // The message of the API names its routes where the last lines here name the commands.
  print.message(result, result.message.replaceAll(/ POST \/\S+ [^.]*\./g, ''));
  if (result.ignored_fields)
    note(`No provider has these fields, so they are ignored: ${result.ignored_fields.join(', ')}`);
  if (result.version === undefined) return;
  const words = args.join(' ');
  note(`npx tenkey credentials verify ${words} --slot staged asks the provider about it.`);
  note(`npx tenkey credentials promote ${words} --version ${result.version} makes it live.`);
}
