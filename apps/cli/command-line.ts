import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Command, Option } from 'commander';
import { type ChangedBy, type Problem } from '#http';

/** Who made a change with this command, for the audit. */
export function changedByCommand(): ChangedBy {
  return { actor: 'cli', requestId: randomUUID(), address: 'local' };
}

/** The exit code of every command. The help prints this table, and docs/operations.md repeats it. */
export const exitCodes = {
  ok: { code: 0, meaning: 'all is well' },
  fault: { code: 1, meaning: 'the command found a fault, or cannot do what you asked for' },
  usage: { code: 2, meaning: 'wrong usage' },
  unfinished: {
    code: 3,
    meaning: 'the command could not finish, for example without a database or with an invalid setting',
  },
} as const;

/** The command cannot do what was requested; the message says why and how to fix it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** A problem of a service as a refusal, with its hint; any other error as it is. */
export function asRefusal(error: unknown): unknown {
  // Importing the class would make each command wait for the library.
  if (!(error instanceof Error) || error.name !== 'Problem') return error;
  return new Refusal(`${error.message} ${(error as Problem).details.hint ?? ''}`.trim());
}

/** Reports an error that ended a command, and sets the exit code. */
export function reportError(error: Error): void {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = (error instanceof Refusal ? exitCodes.fault : exitCodes.unfinished).code;
}

/**
 * Sets how a command and its subcommands refuse wrong usage: with the help, and with an exit code of its own. Commands that are
 * added to another one do not inherit these settings.
 */
export function configureUsage(command: Command): void {
  command
    .summary(command.description().split(/\.(?: |$)/, 1)[0]!)
    .exitOverride(({ exitCode }) => process.exit((exitCode === 0 ? exitCodes.ok : exitCodes.usage).code))
    .configureOutput({ outputError: (text, write) => write(withoutValues(text)) })
    .showHelpAfterError();
  if (command.commands.length === 0) {
    const lines = Object.values(exitCodes).map(({ code, meaning }) => `  ${code}  ${meaning}`);
    command.addHelpText('after', ['', 'Exit codes:', ...lines].join('\n'));
  }
  command.commands.forEach(configureUsage);
}

/** An error of Commander without the words that it repeats: one of them may be a secret that was pasted by mistake. */
function withoutValues(text: string): string {
  return text
    .replace(/unknown command '[^]*?'/, 'there is no such command')
    .replace(/(unknown option '-[\w-]*)[^]*?'/, "$1'")
    .replace(/ '[^']*' is invalid/, ' is invalid');
}

/** A command that only holds other commands. */
export function commandGroup(name: string, description: string, commands: readonly Command[]): Command {
  const group = new Command(name)
    .description(description)
    .usage('<command>')
    .helpCommand(false)
    .allowExcessArguments()
    .action(() => {
      const fault = group.args.length === 0 ? 'a command is missing' : 'there is no such command';
      group.error(`error: ${fault}`);
    });
  for (const command of commands) group.addCommand(command);
  return group;
}

/** The option of every command that can print JSON. */
export const jsonOption = () => new Option('--json', 'print JSON');

/** For example `1 tenant` or `2 tenants`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Rows of cells as lines with aligned columns. The first row is the heading. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/**
 * Asks a question on the terminal.
 * @returns undefined when standard input or standard error is not a terminal
 */
export async function asked(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}

/** @throws Refusal unless the question is answered with y */
export async function confirm(question: string): Promise<void> {
  if ((await asked(`${question} [y/N] `)) === 'y') return;
  throw new Refusal('nothing was changed; --yes starts without a question');
}
