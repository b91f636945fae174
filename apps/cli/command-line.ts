import { type CommandRunner } from 'nest-commander';

type Command = Parameters<CommandRunner['setCommand']>[0];

/**
 * 0: nothing to say. 1: what was looked at has faults, or what was asked for cannot be done. 2: the command was not
 * understood. 3: it broke off, as without a database: a gate must not take that for a fault, nor for none.
 */
export const exitCodes = { clean: 0, faults: 1, usage: 2, brokenOff: 3 } as const;

/** What was asked for cannot be done as things are; the message says why, with the fix. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Says why a command ended before its time. */
export function endWith(error: Error): void {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = error instanceof Refusal ? exitCodes.faults : exitCodes.brokenOff;
}

/** Ends the process as commander would, but for wrong usage with a code of its own. */
export function exitOnUsage(error: Error): never {
  const isHelp = 'exitCode' in error && error.exitCode === 0;
  process.exit(isHelp ? exitCodes.clean : exitCodes.usage);
}

/** Says what is wrong with the command line, points at the help, and ends. */
export function refuseUsage(command: Command, reason: string): never {
  process.stderr.write(`error: ${reason}\n\n`);
  command.outputHelp({ error: true });
  process.exit(exitCodes.usage);
}
