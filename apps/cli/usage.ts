import { type CommandRunner } from 'nest-commander';

type Command = Parameters<CommandRunner['setCommand']>[0];

/** 0: nothing to say. 1: what was looked at has faults. 2: the command was not understood. */
export const exitCodes = { clean: 0, faults: 1, usage: 2 } as const;

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
