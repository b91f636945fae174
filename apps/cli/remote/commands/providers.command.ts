import { type Command } from 'commander';
import { type ProviderListResponse } from '#credentials';
import { type Columns } from '../../output';
import { type Settings } from '../../settings';
import { remoteCommand } from '../remote-command';

type Provider = ProviderListResponse['providers'][number];

const columns: Columns<Provider> = {
  id: (provider) => provider.id,
  label: (provider) => provider.label,
  kind: (provider) => provider.kind ?? 'built in',
  needs: (provider) => fieldsOf(provider, true),
  may_have: (provider) => fieldsOf(provider, false),
  operations: ({ operations }) => operations.map(({ operation }) => operation).join(' '),
};

export function providersCommand(settings: Settings): Command {
  return remoteCommand(settings, {
    name: 'providers',
    scope: 'credentials:read',
    description:
      'List the providers, built in and declared, with the fields of their credentials and their operations.',
    hasCsv: true,
    notes: '--json also has the description and the rule of each field.',
    examples: ['providers', 'providers --json'],
    run: async ({ api, print }) =>
      print.list([await api.get<ProviderListResponse>('/providers')], ({ providers }) => providers, columns),
  });
}

function fieldsOf({ fields }: Provider, isRequired: boolean): string {
  return fields
    .filter(({ required }) => required === isRequired)
    .map(({ name }) => name)
    .join(' ');
}
