import { Command, InvalidArgumentError, Option } from 'commander';
import { csvOption, jsonOption } from '../output';
import { type Scope } from '#http';
import { type Settings } from '../settings';
import { type SysadminApi } from './api';
import { connectionHelp, type ConnectionOptions, connectionOptions } from './connection';
import { type OutputOptions, type Printer } from './printer';

/** What the command line says. */
interface Given<Options> {
  /** The arguments, by position; an optional one that was not given is empty. */
  readonly args: readonly [string, string];
  readonly options: Options & OutputOptions;
  readonly command: Command;
}

/** What a command has when it runs. */
export interface Run<Options> extends Omit<Given<Options>, 'command'> {
  readonly api: SysadminApi;
  readonly print: Printer;
  /** Aborted by Ctrl-C, as are the requests of `api`. */
  readonly stop: AbortSignal;
  readonly settings: Settings;
}

/** A command that speaks to a running Tenkey. */
interface Declaration<Options> {
  readonly name: string;
  readonly description: string;
  /** What a sysadmin key needs for it. */
  readonly scope: Scope | readonly Scope[] | 'super' | 'none';
  /** True when one of several scopes is enough; otherwise it needs all. */
  readonly isAnyScope?: boolean;
  /** As Commander writes them: `<tenant>`, `[tenant]`; at most two. */
  readonly arguments?: readonly string[];
  readonly options?: readonly Option[];
  /** False when it prints no rows, which CSV is for. */
  readonly hasCsv?: boolean;
  /** For the help: what is not said elsewhere. */
  readonly notes?: string;
  /** For the help, without `npx tenkey`. */
  readonly examples: readonly string[];
  /** Refuses wrong usage that Commander cannot see, with `command.error()`, before anything else. */
  check?(given: Given<Options>): void;
  run(run: Run<Options>): Promise<void>;
}

const meanings: Readonly<Record<string, string>> = {
  tenant: 'the id or the exact name of a tenant',
  provider: 'the id of a provider, such as openai',
  name: 'its name in lists',
  'key-id': 'the id of the key, which the list shows',
  receipt: 'the receipt, or the whole line of the header',
};
const group = 'Output:';

function neededKey({
  scope,
  isAnyScope = false,
  arguments: words = [],
  options = [],
}: Pick<Declaration<object>, 'scope' | 'isAnyScope' | 'arguments' | 'options'>): string {
  if (scope === 'none') return 'It shows what the key may see.';
  if (scope === 'super') return 'It needs the super key.';
  const scopes = typeof scope === 'string' ? [scope] : scope;
  const findsTenants =
    !scopes.includes('tenants:read') &&
    (words.some((word) => word.includes('tenant')) || options.some(({ long }) => long === '--tenant'));
  const more = findsTenants ? ', and of scope tenants:read unless the id of a tenant is given' : '';
  return `It needs the super key, or a sysadmin key of scope ${scopes.join(isAnyScope ? ' or ' : ' and ')}${more}.`;
}

export function remoteCommand<Options extends object = object>(
  settings: Settings,
  { hasCsv = false, notes = '', ...declaration }: Declaration<Options>,
): Command {
  const command = new Command(declaration.name).description(declaration.description);
  for (const argument of declaration.arguments ?? []) {
    command.argument(argument, meanings[argument.slice(1, -1)] ?? '');
  }
  const output = hasCsv ? [jsonOption(), csvOption()] : [jsonOption()];
  const allOptions = [
    ...(declaration.options ?? []),
    ...output.map((option) => option.helpGroup(group)),
    ...connectionOptions(),
  ];
  for (const option of allOptions) command.addOption(option);
  const examples = declaration.examples.map((example) => `  npx tenkey ${example}`);
  return command
    .addHelpText(
      'after',
      ['', ...(notes && [notes]), neededKey(declaration), connectionHelp, '', 'Examples:', ...examples].join(
        '\n',
      ),
    )
    .action(async () => {
      const options = command.opts<Options & OutputOptions & ConnectionOptions>();
      const [first = '', second = ''] = command.args;
      const given: Given<Options> = { args: [first, second], options, command };
      declaration.check?.(given);
      const { connectionTo } = await import('./connection.js');
      const connection = await connectionTo(settings, options);
      const [{ Client }, { SysadminApi }, { Printer }, http] = await Promise.all([
        import('./client.js'),
        import('./api.js'),
        import('./printer.js'),
        import('#http'),
      ]);
      const stop = new AbortController();
      // A second Ctrl-C stops the process at once.
      const interrupt = () => void stop.abort();
      process.once('SIGINT', interrupt);
      try {
        await declaration.run({
          api: new SysadminApi(new Client(connection, stop.signal), http),
          print: new Printer(options),
          ...given,
          stop: stop.signal,
          settings,
        });
      } finally {
        process.off('SIGINT', interrupt);
      }
    });
}

/** The option of every command that asks before it does what cannot be undone. */
export const yesOption = () => new Option('--yes', 'do it without a question');

/** The option of a list that has the newest first. @param what is listed, such as `events` */
export const atMost = (what: string) =>
  new Option('--limit <number>', `how many ${what} at most`).argParser(whole).default(100);

function whole(text: string): number {
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 to 99999999.');
}
