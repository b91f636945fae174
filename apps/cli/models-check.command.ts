import { isAbsolute, relative } from 'node:path';
import { Command } from 'commander';
import { type CatalogueCheck } from '#model-routing';
import { counted, exitCodes, jsonOption } from './command-line';
import { csvOf, csvOption, visible } from './output';
import { type Settings } from './settings';

interface CheckOptions {
  readonly strict?: boolean;
  readonly json?: boolean;
  readonly csv?: boolean;
}

/** How many models each provider and each adapter serves. */
interface Counts {
  readonly providers: Readonly<Record<string, number>>;
  readonly adapters: Readonly<Record<string, number>>;
}

export function modelsCheckCommand(settings: Settings): Command {
  return new Command('check')
    .description(
      'List the faults of a model catalogue, which would stop a start, and its warnings. Needs no database and no key.',
    )
    .argument('[file]', 'the model catalogue; by default AI_MODELS_FILE, or the one that comes with Tenkey')
    .option('--strict', 'treat warnings as faults')
    .addOption(jsonOption())
    .addOption(csvOption())
    .addHelpText(
      'after',
      `
Each finding is one line: \`file:line: reason\` for a fault, \`file:line: warning: reason\` for a warning.

Examples:
  npx tenkey models check
  npx tenkey models check config/ai_models.yml --strict
  npx tenkey models check --json`,
    )
    .action(
      async (
        path: string | undefined,
        { strict = false, json = false, csv = false }: CheckOptions,
        command: Command,
      ) => {
        if (path === '') command.error('error: the name of the file is empty');
        const { checkCatalogue, providerOfModel, shippedModelsFile } = await import('#model-routing');
        const file = path ?? shortened((await settings.modelsFile()) ?? shippedModelsFile());
        const check = checkCatalogue(file);
        const counts = countsOf(check, (model) => providerOfModel(model)?.provider.id ?? 'none');
        process.stdout.write(
          json ? inJson(file, check, counts) : csv ? await csvOf(inRows(check)) : inText(check, counts),
        );
        const { faults, warnings } = severitiesOf(check);
        if (faults > 0 || (strict && warnings > 0)) process.exitCode = exitCodes.fault.code;
      },
    );
}

function inText({ models, findings }: CatalogueCheck, counts: Counts): string {
  const lines = findings.map(({ severity, file, line, reason }) => {
    const place = line === undefined ? `${file}:` : `${file}:${line}:`;
    return `${place} ${severity === 'warning' ? 'warning: ' : ''}${visible(reason)}`;
  });
  const { faults, warnings } = severitiesOf({ findings });
  const groups = [counts.providers, counts.adapters].map((group) =>
    Object.entries(group)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
  );
  return [
    ...lines,
    `${counted(models.length, 'model')}${models.length > 0 ? `: ${groups.join('; ')}` : ''}`,
    `${counted(faults, 'fault')}, ${counted(warnings, 'warning')}`,
    '',
  ].join('\n');
}

function inRows({ findings }: CatalogueCheck) {
  return [
    ['file', 'line', 'severity', 'reason'],
    ...findings.map(({ file, line, severity, reason }) => [file, line, severity, reason]),
  ];
}

function inJson(file: string, { models, findings }: CatalogueCheck, counts: Counts): string {
  const report = { file, models: models.length, ...counts, ...severitiesOf({ findings }), findings };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

function countsOf(
  { models }: CatalogueCheck,
  providerOf: (model: CatalogueCheck['models'][number]) => string,
): Counts {
  return {
    providers: tally(models.map(providerOf)),
    adapters: tally(models.map((model) => (model.litellm_model_name ? 'litellm' : 'legacy'))),
  };
}

function severitiesOf({ findings }: Pick<CatalogueCheck, 'findings'>): { faults: number; warnings: number } {
  const faults = findings.filter(({ severity }) => severity === 'fault').length;
  return { faults, warnings: findings.length - faults };
}

function tally(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** The path relative to the working directory, if the file is below it. */
function shortened(file: string): string {
  const path = relative('', file);
  return path === '' || path.startsWith('..') || isAbsolute(path) ? file : path;
}
