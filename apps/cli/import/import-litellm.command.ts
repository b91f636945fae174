import { resolve } from 'node:path';
import { Command } from 'commander';
import { exitCodes, jsonOption } from '../command-line';
import { type Settings } from '../settings';
import { type ImportOptions } from './import-options';

export function importLitellmCommand(settings: Settings): Command {
  return new Command('litellm')
    .description(
      'Turn the config.yaml of a LiteLLM proxy into a model catalogue and credentials. Reports line by line what is not carried over.',
    )
    .argument('<file>', 'the config.yaml of the proxy')
    .option('--out <file>', 'write the catalogue to this new file; by default it is printed')
    .option('--env-out <file>', 'write the keys to this new file, as global keys for .env')
    .option(
      '--tenants <a,b>',
      'store the keys as credentials of these tenants, by name or id',
      (text: string) => text.split(',').map((name) => name.trim()),
    )
    .option('--replace', 'overwrite the credentials that these tenants already have')
    .option('--yes', 'store the credentials; without it they are only listed')
    .option('--keep-duplicates', 'give a model_name that occurs again another name, such as gpt-4o-2')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Each finding is one line: \`file:line: reason\` for what is not carried over, \`file:line: warning: reason\` for what is
carried over in another form. Keys are shown only as masks. The variables that config.yaml names are read from the
environment and from .env. Only --tenants needs the database and the settings of the service.
Files are never overwritten. A second run with the same input changes nothing.
The exit code is 1 if something is not carried over.

Examples:
  npx tenkey import litellm config.yaml --out ai_models.yml
  npx tenkey import litellm config.yaml --out ai_models.yml --env-out keys.env
  npx tenkey import litellm config.yaml --out ai_models.yml --tenants sundsvall,harnosand --yes`,
    )
    .action(async (file: string, options: ImportOptions, command: Command) => {
      const { out, envOut, tenants, replace = false, yes = false } = options;
      if ([file, out, envOut].includes('')) command.error('error: the name of a file is empty');
      if (tenants?.includes('')) command.error('error: --tenants must be a list such as a,b');
      if (tenants && envOut !== undefined) command.error('error: give either --env-out or --tenants');
      if (!tenants && (replace || yes)) command.error('error: --replace and --yes need --tenants');
      const paths = [file, out, envOut].filter((path) => path !== undefined).map((path) => resolve(path));
      if (new Set(paths).size < paths.length) command.error('error: the files must be different ones');
      const { importLitellm } = await import('./import-litellm.js');
      if (!(await importLitellm(settings, file, options))) process.exitCode = exitCodes.fault.code;
    });
}
