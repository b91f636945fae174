import { type Command, Option } from 'commander';
import {
  type CreateTenantRequest,
  type TenantResponse,
  type TenantState,
  type UpdateTenantRequest,
} from '#tenants';
import { asked, commandGroup, Refusal } from '../../command-line';
import { type Columns, visible } from '../../output';
import { type Settings } from '../../settings';
import { remoteCommand, yesOption } from '../remote-command';

const columns: Columns<TenantResponse> = {
  name: (tenant) => tenant.name,
  display_name: (tenant) => tenant.display_name,
  state: (tenant) => tenant.state,
  contact_email: (tenant) => tenant.contact_email,
  expected_providers: (tenant) => tenant.expected_providers?.join(', '),
  created_at: (tenant) => tenant.created_at,
  id: (tenant) => tenant.id,
};
const policyColumns: Columns<TenantResponse> = {
  ...columns,
  allowed_hosting: (tenant) => anyOr(tenant.allowed_hosting),
  allowed_providers: (tenant) => anyOr(tenant.allowed_providers),
  egress_allow: (tenant) => tenant.egress_allow?.join(', '),
};
const states: readonly TenantState[] = ['active', 'suspended'];

interface CreateOptions {
  readonly id?: string;
  readonly displayName?: string;
  readonly contact?: string;
  readonly state?: TenantState;
  readonly expectedProviders?: string[];
}

interface PolicyOptions {
  readonly allowedHosting?: string[] | 'any';
  readonly allowedProviders?: string[] | 'any';
  readonly egressAllow?: string[] | 'none';
}

export function tenantsCommand(settings: Settings): Command {
  return commandGroup('tenants', 'List, create, suspend and delete tenants.', [
    remoteCommand<{ search?: string }>(settings, {
      name: 'list',
      scope: 'tenants:read',
      description: 'List the tenants, newest first.',
      options: [new Option('--search <text>', 'those whose name or display name contains this, in any case')],
      hasCsv: true,
      examples: ['tenants list', 'tenants list --search vall --csv'],
      run: ({ api, print, options: { search } }) =>
        print.list(api.tenantPages({ search }), ({ items }) => items, columns),
    }),
    remoteCommand(settings, {
      name: 'show',
      scope: 'tenants:read',
      description: 'Show a tenant.',
      arguments: ['<tenant>'],
      hasCsv: true,
      examples: ['tenants show sundsvall'],
      run: async ({ api, print, args: [tenant] }) =>
        print.one(await api.get<TenantResponse>(await api.tenantPath(tenant)), policyColumns),
    }),
    remoteCommand<CreateOptions>(settings, {
      name: 'create',
      scope: 'tenants:write',
      description: 'Create a tenant.',
      arguments: ['<name>'],
      options: [
        new Option(
          '--id <uuid>',
          'the id that the platform uses for the tenant; otherwise Tenkey chooses one',
        ),
        new Option('--display-name <text>', 'the name that people read'),
        new Option('--contact <address>', 'the e-mail address for alerts about its credentials'),
        new Option(
          '--expected-providers <a,b>',
          'the providers that it should have a credential for, so that a missing one is reported',
        ).argParser(listOf),
        new Option('--state <state>', 'active (default) or suspended').choices(states),
      ],
      examples: ['tenants create sundsvall --display-name "Sundsvalls kommun"'],
      run: async ({
        api,
        print,
        args: [name],
        options: { id, displayName, contact, state, expectedProviders },
      }) => {
        const body: CreateTenantRequest = {
          name,
          id,
          display_name: displayName,
          contact_email: contact,
          state,
          expected_providers: expectedProviders,
        };
        const tenant = await api.post<TenantResponse>('/tenants', body);
        print.message(tenant, `The tenant ${tenant.name} is created, with the id ${tenant.id}.`);
      },
    }),
    changeState(
      settings,
      'suspend',
      'suspended',
      'Refuse the calls of a tenant. Its credentials and keys stay.',
    ),
    changeState(settings, 'activate', 'active', 'Accept the calls of a suspended tenant again.'),
    remoteCommand<PolicyOptions>(settings, {
      name: 'policy',
      scope: 'tenants:write',
      description: "Say where a tenant's calls may go. What no option names stays as it is.",
      arguments: ['<tenant>'],
      options: [
        new Option(
          '--allowed-hosting <a,b>',
          'the values of hosting in ai_models.yml that its models may have, or any',
        ).argParser(listOrAny),
        new Option('--allowed-providers <a,b>', 'the providers that may be called, or any').argParser(
          listOrAny,
        ),
        new Option(
          '--egress-allow <a,b>',
          'the private addresses that its endpoints may have when EGRESS_PRIVATE=deny, or none',
        ).argParser((text) => (text === 'none' ? text : listOf(text))),
      ],
      examples: [
        'tenants policy sundsvall --allowed-hosting eu,swe',
        'tenants policy sundsvall --allowed-providers any --egress-allow 10.20.0.0/16:8000',
      ],
      run: async ({ api, print, args: [idOrName], options }) => {
        const body: UpdateTenantRequest = {
          allowed_hosting: listOrNull(options.allowedHosting),
          allowed_providers: listOrNull(options.allowedProviders),
          egress_allow: listOrNull(options.egressAllow),
        };
        if (Object.values(body).every((value) => value === undefined)) {
          throw new Refusal('nothing was changed; name what to change, for example --allowed-hosting');
        }
        const tenant = await api.patch<TenantResponse>(await api.tenantPath(idOrName), body);
        const hosting = anyOr(tenant.allowed_hosting);
        const providers = anyOr(tenant.allowed_providers);
        print.message(
          tenant,
          `The calls of ${tenant.name} may go to the hosting ${hosting} and to the providers ${providers}.`,
        );
      },
    }),
    remoteCommand<{ yes?: boolean; erase?: boolean }>(settings, {
      name: 'delete',
      scope: ['tenants:write', 'tenants:read'],
      description: 'Delete a tenant with its credentials and keys. Asks for its name; this cannot be undone.',
      arguments: ['<tenant>'],
      options: [
        new Option('--erase', 'also remove its name, display name and contact from the audit'),
        yesOption(),
      ],
      examples: ['tenants delete sundsvall', 'tenants delete 0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10 --yes'],
      run: async ({ api, print, args: [idOrName], options: { yes = false, erase = false } }) => {
        const path = await api.tenantPath(idOrName);
        const tenant = await api.get<TenantResponse>(path);
        if (!yes) await confirmName(tenant);
        await api.delete(path, erase ? { erase: 'true' } : undefined);
        print.message({ id: tenant.id, deleted: true }, `The tenant ${tenant.name} is deleted.`);
      },
    }),
  ]);
}

function listOf(text: string): string[] {
  return text.split(',').map((each) => each.trim());
}

/** Commander replaces null with an empty text. */
function listOrAny(text: string): string[] | 'any' {
  return text === 'any' ? text : listOf(text);
}

function listOrNull(value: string[] | 'any' | 'none' | undefined): string[] | null | undefined {
  return typeof value === 'string' ? null : value;
}

/** A list of a policy; without one, everything is allowed. */
function anyOr(list: readonly string[] | null): string {
  if (list === null) return 'any';
  return list.length === 0 ? 'none' : list.join(', ');
}

function changeState(settings: Settings, name: string, state: TenantState, description: string): Command {
  return remoteCommand(settings, {
    name,
    scope: 'tenants:write',
    description,
    arguments: ['<tenant>'],
    examples: [`tenants ${name} sundsvall`],
    run: async ({ api, print, args: [idOrName] }) => {
      const body: UpdateTenantRequest = { state };
      const tenant = await api.patch<TenantResponse>(await api.tenantPath(idOrName), body);
      print.message(tenant, `The tenant ${tenant.name} is ${tenant.state}.`);
    },
  });
}

/** An id or a name in the arguments may be that of another tenant than the one that was meant. */
async function confirmName({ name }: TenantResponse): Promise<void> {
  const question = `This deletes ${visible(name)} with its credentials and keys. Type its name to confirm: `;
  const answer = await asked(question);
  if (answer === name) return;
  throw new Refusal(
    answer === undefined
      ? 'nothing was deleted; --yes deletes without a question'
      : 'nothing was deleted: that is not the name of the tenant',
  );
}
