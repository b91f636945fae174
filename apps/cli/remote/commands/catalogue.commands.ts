import { type Command } from 'commander';
import { type ProviderListResponse } from '#credentials';
import { type CatalogueResponse } from '#model-routing';
import { counted } from '../../command-line';
import { type Columns } from '../../output';
import { type Settings } from '../../settings';
import { note } from '../printer';
import { remoteCommand } from '../remote-command';

type Provider = ProviderListResponse['providers'][number];

type Model = CatalogueResponse['models'][number];

const providerColumns: Columns<Provider> = {
  id: (provider) => provider.id,
  label: (provider) => provider.label,
  kind: (provider) => provider.kind ?? 'built in',
  needs: (provider) => fieldsOf(provider, true),
  may_have: (provider) => fieldsOf(provider, false),
  operations: ({ operations }) => operations.map(({ operation }) => operation).join(' '),
};

const modelColumns: Columns<Model> = {
  name: (model) => model.name,
  kind: (model) => model.kind,
  adapter: (model) => model.adapter,
  provider: (model) => model.provider ?? 'none',
  upstream_model: (model) => model.upstream_model,
  hosting: (model) => model.hosting,
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
      print.list(
        [await api.get<ProviderListResponse>('/providers')],
        ({ providers }) => providers,
        providerColumns,
      ),
  });
}

export function modelsListCommand(settings: Settings): Command {
  return remoteCommand(settings, {
    name: 'list',
    scope: ['credentials:read', 'readiness:read'],
    isAnyScope: true,
    description: 'List the models of the catalogue that is in force.',
    hasCsv: true,
    notes:
      'If the file has faults, the models of its last valid version are listed, and the faults are named.',
    examples: ['models list', 'models list --csv > models.csv'],
    run: async ({ api, print, options: { json = false } }) => {
      const catalogue = await api.get<CatalogueResponse>('/models');
      await print.list([catalogue], ({ models }) => models, modelColumns);
      if (json) return;
      const { reason, file, warnings, in_force_since: since } = catalogue;
      if (reason !== null) {
        note(`${file} has faults, so the models in force are those since ${since}:`);
        for (const line of reason.split('\n')) note(line);
      } else if (warnings > 0) note(`${file} has ${counted(warnings, 'warning')}; --json has them.`);
    },
  });
}

function fieldsOf({ fields }: Provider, isRequired: boolean): string {
  return fields
    .filter(({ required }) => required === isRequired)
    .map(({ name }) => name)
    .join(' ');
}
