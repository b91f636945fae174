import { Command } from 'commander';
import { exitCodes, jsonOption } from '../command-line';
import { type Settings } from '../settings';

interface DoctorOptions {
  readonly json?: boolean;
}

export function doctorCommand(settings: Settings): Command {
  return new Command('doctor')
    .description(
      'Check the settings, the database and what is stored in it, and say how to correct what is wrong. Changes nothing and decrypts no credential.',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Run it in the folder of the service and as its user, with its settings. It can run while the service does. Each check
prints one line, or one for each thing that is wrong. The exit code is 1 when there is a fault; warnings alone do not
change it.

Examples:
  npx tenkey doctor
  npx tenkey doctor --json`,
    )
    .action(async ({ json = false }: DoctorOptions) => {
      const { examine } = await import('./doctor.js');
      const { countsOf, inJson, inText } = await import('./report.js');
      const results = await examine(settings, (check, done) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${check}: ${done}`);
      });
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
      process.stdout.write(json ? inJson(results) : inText(results));
      if (countsOf(results).faults > 0) process.exitCode = exitCodes.fault.code;
    });
}
