import { type Command } from 'commander';
import { type CatalogueResponse } from '#model-routing';
import { counted } from '../../command-line';
import { type Columns } from '../../output';
import { type Settings } from '../../settings';
import { note } from '../printer';
import { remoteCommand } from '../remote-command';

type Model = CatalogueResponse['models'][number];

const columns: Columns<Model> = {
  name: (model) => model.name,
  kind: (model) => model.kind,
  adapter: (model) => model.adapter,
  provider: (model) => model.provider ?? 'none',
  upstream_model: (model) => model.upstream_model,
  hosting: (model) => model.hosting,
};

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
      await print.list([catalogue], ({ models }) => models, columns);
      if (json) return;
      const { reason, file, warnings, in_force_since: since } = catalogue;
      if (reason !== null) {
        note(`${file} has faults, so the models in force are those since ${since}:`);
        for (const line of reason.split('\n')) note(line);
      } else if (warnings > 0) note(`${file} has ${counted(warnings, 'warning')}; --json has them.`);
    },
  });
}
