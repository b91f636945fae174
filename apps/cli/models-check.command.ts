import { isAbsolute, relative } from 'node:path';
import { Inject } from '@nestjs/common';
import { CommandRunner, Help, Option, SubCommand } from 'nest-commander';
import { type CatalogueCheck } from '#model-routing';
import { shippedModels } from '../api/shipped-models';
import { exitCodes, exitOnUsage, refuseUsage } from './command-line';

/** Gives AI_MODELS_FILE as the service would read it; undefined when it is unset. */
export type ConfiguredModelFile = () => Promise<string | undefined>;
export const configuredModelFile = Symbol('AI_MODELS_FILE');

interface CheckOptions {
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** How many of the models go where. */
interface Counts {
  readonly providers: Readonly<Record<string, number>>;
  readonly adapters: Readonly<Record<string, number>>;
}

@SubCommand({
  name: 'check',
  arguments: '[file]',
  argsDescription: { file: 'the model file; default: AI_MODELS_FILE, else the shipped one' },
  description:
    'Check a model file: every fault that would stop a start, and warnings. Needs no database and no key.',
})
export class ModelsCheckCommand extends CommandRunner {
  constructor(@Inject(configuredModelFile) private readonly configured: ConfiguredModelFile) {
    super();
  }

  override setCommand(command: Parameters<CommandRunner['setCommand']>[0]): this {
    return super.setCommand(command.exitOverride(exitOnUsage));
  }

  async run(files: string[], { strict = false, json = false }: CheckOptions = {}): Promise<void> {
    if (files.length > 1) refuseUsage(this.command, 'one file at a time');
    if (files[0] === '') refuseUsage(this.command, 'the name of the file is empty');
    const file = files[0] ?? shortened((await this.configured()) ?? shippedModels());
    // Here and not above: the other commands need not wait for all that routing is made of.
    const { checkCatalogue, providerOfModel } = await import('#model-routing');
    const check = checkCatalogue(file);
    const counts = countsOf(check, (model) => providerOfModel(model)?.provider.id ?? 'none');
    process.stdout.write(json ? inJson(file, check, counts) : inText(check, counts));
    const { faults, warnings } = severitiesOf(check);
    if (faults > 0 || (strict && warnings > 0)) process.exitCode = exitCodes.faults;
  }

  @Option({ flags: '--strict', description: 'warnings count as faults' })
  strict(): boolean {
    return true;
  }

  @Option({ flags: '--json', description: 'print one JSON object' })
  json(): boolean {
    return true;
  }

  @Help('after')
  example(): string {
    return [
      '',
      'A line for each finding: `file:line: reason` for a fault, `file:line: warning: reason` for a warning.',
      'Exit code: 0 without faults, 1 with faults, 2 for wrong usage.',
      '',
      'Examples:',
      '  npm run cli -- models check',
      '  npm run cli -- models check config/ai_models.yml --strict',
      '  npm run --silent cli -- models check --json',
    ].join('\n');
  }
}

function inText({ models, findings }: CatalogueCheck, counts: Counts): string {
  const lines = findings.map(({ severity, file, line, reason }) => {
    const place = line === undefined ? `${file}:` : `${file}:${line}:`;
    return `${place} ${severity === 'warning' ? 'warning: ' : ''}${reason}`;
  });
  const { faults, warnings } = severitiesOf({ findings });
  const where = [counts.providers, counts.adapters].map((group) =>
    Object.entries(group)
      .map(([name, count]) => `${name} ${count}`)
      .join(', '),
  );
  return [
    ...lines,
    `${counted(models.length, 'model')}${models.length > 0 ? `: ${where.join('; ')}` : ''}`,
    `${counted(faults, 'fault')}, ${counted(warnings, 'warning')}`,
    '',
  ].join('\n');
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

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Relative to the working directory where the file is below it. */
function shortened(file: string): string {
  const path = relative('', file);
  return path === '' || path.startsWith('..') || isAbsolute(path) ? file : path;
}
