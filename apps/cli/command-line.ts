import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Command } from 'commander';
import { type ChangedBy, type Problem } from '#http';
import { visibleLines } from './output';

export { jsonOption, tableOf } from './output';

/** Who made a change with this command, for the audit. */
export function changedByCommand(): ChangedBy {
  return { actor: 'cli', requestId: randomUUID(), address: 'local' };
}

/** The exit code of every command. The help prints this table, and docs/command-line.md repeats it. */
export const exitCodes = {
  ok: { code: 0, meaning: 'all is well' },
  fault: { code: 1, meaning: 'the command found a fault, or cannot do what you asked for' },
  usage: { code: 2, meaning: 'wrong usage' },
  unfinished: {
    code: 3,
    meaning:
      'the command could not finish, for example without a database, a connection or a file that it needs, or with an invalid setting',
  },
  interrupted: { code: 130, meaning: 'stopped with Ctrl-C' },
} as const;

/** The command cannot do what was requested; the message says why and how to fix it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Ctrl-C stopped the command; the message says what was done until then. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** A problem of a service as a refusal, with its hint; any other error as it is. */
export function asRefusal(error: unknown): unknown {
  // Importing the class would make each command wait for the library.
  if (!(error instanceof Error) || error.name !== 'Problem') return error;
  return new Refusal(`${error.message} ${(error as Problem).details.hint ?? ''}`.trim());
}

/** Reports an error that ended a command, and sets the exit code. */
export function reportError(error: Error): void {
  const [title, { code }] =
    error instanceof Interrupted
      ? ['stopped', exitCodes.interrupted]
      : ['error', error instanceof Refusal ? exitCodes.fault : exitCodes.unfinished];
  process.stderr.write(`${title}: ${visibleLines(error.message)}\n`);
  process.exitCode = code;
}

/**
 * Sets how a command and its subcommands refuse wrong usage: with what they expect, and with an exit code of its own. Commands that are
 * added to another one do not inherit these settings.
 * @param words the command as it is written, from the program on
 */
export function configureUsage(command: Command, words = command.name()): void {
  const isGroup = command.commands.length > 0;
  command
    .summary(command.description().split(/\.(?: |$)/, 1)[0]!)
    .exitOverride(({ exitCode }) => process.exit((exitCode === 0 ? exitCodes.ok : exitCodes.usage).code))
    .configureOutput({ outputError: (text, write) => write(withoutValues(text)) })
    // The whole help of one command would push the error off the screen.
    .showHelpAfterError(
      isGroup || `\nUsage: ${words} ${command.usage()}\nnpx ${words} --help explains the command.`,
    );
  if (!isGroup) {
    const lines = Object.values(exitCodes).map(({ code, meaning }) => `  ${code}  ${meaning}`);
    command.addHelpText('after', ['', 'Exit codes:', ...lines].join('\n'));
  }
  for (const each of command.commands) configureUsage(each, `${words} ${each.name()}`);
}

/** An error of Commander without the words that it repeats: one of them may be a secret that was pasted by mistake. */
function withoutValues(text: string): string {
  return text
    .replace(/unknown command '[^]*?'/, 'there is no such command')
    .replace(/(unknown option '-[\w-]*)[^]*?'/, "$1'")
    .replace(/(argument|value) '[^]*' is invalid/, '$1 is invalid');
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

/** For example `1 tenant` or `2 tenants`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * Asks a question on the terminal.
 * @param isHidden true for a secret: what is typed or pasted is not shown
 * @returns undefined without an answer: when standard input or standard error is not a terminal, and after Ctrl-D
 * @throws Interrupted after Ctrl-C, which a terminal in this mode does not turn into a signal
 */
export async function asked(question: string, isHidden = false): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const nowhere = new Writable({ write: (_text, _encoding, done) => void done() });
  const terminal = createInterface({
    input: process.stdin,
    output: isHidden ? nowhere : process.stderr,
    terminal: true,
    historySize: 0,
  });
  let answer: string | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      terminal.on('SIGINT', () => void reject(new Interrupted('nothing was changed.')));
      terminal.on('close', resolve);
      terminal.question(isHidden ? '' : question, (text) => {
        answer = text.trim();
        resolve();
      });
      // Only now does the terminal itself show nothing of what is typed.
      if (isHidden) process.stderr.write(question);
    });
    return answer;
  } finally {
    terminal.close();
    // Enter has shown a line break only if what was typed is shown.
    if (isHidden || answer === undefined) process.stderr.write('\n');
  }
}

/** @throws Refusal unless the question is answered with y */
export async function confirm(question: string): Promise<void> {
  const answer = await asked(`${question} [y/N] `);
  if (/^y(es)?$/i.test(answer ?? '')) return;
  throw new Refusal(
    answer === undefined
      ? 'nothing was changed: there is no terminal to ask on. --yes starts without a question'
      : 'nothing was changed',
  );
}
