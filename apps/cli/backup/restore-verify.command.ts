import { resolve } from 'node:path';
import { Command } from 'commander';
import { exitCodes, jsonOption } from '../command-line';
import { textOfFile } from '../files';
import { type Settings } from '../settings';
import { type RestoreOptions } from './restore-verification';

interface VerifyOptions {
  readonly databaseUrlFile?: string;
  readonly databaseUrl?: string;
  readonly dataDir?: string;
  readonly head?: string;
  readonly json?: boolean;
}

export function restoreVerifyCommand(settings: Settings): Command {
  return new Command('verify')
    .description(
      'Prove that a restored copy of the database is complete: every credential in it opens, and its audit is whole. Needs only ENCRYPTION_KEY and ENCRYPTION_KEY_PREVIOUS, and changes nothing.',
    )
    .option('--database-url-file <path>', 'a file with the address of the copy')
    .option('--database-url <url>', 'the address of the copy, if it has no password')
    .option(
      '--data-dir <folder>',
      'a copy of TENKEY_DATA_DIR, made while the service was stopped; a server is started on it',
    )
    .option('--head <head>', 'a head that audit verify printed before the backup, which must be in the copy')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
The address has the form postgresql://user:password@host:5432/name. Other users of a machine can read the arguments of a
command, so an address with a password belongs in a file.
Every key is decrypted, and discarded at once. Nothing of it is printed.

Examples:
  npx tenkey restore verify --database-url-file /run/secrets/copy
  npx tenkey restore verify --database-url postgresql://127.0.0.1/tenkey_copy --head 1204:kYc...`,
    )
    .action(async (options: VerifyOptions, command: Command) => {
      const { head, json = false } = options;
      const copy = await copyOf(options, (fault) => command.error(`error: ${fault}`));
      if (head !== undefined && !/^\d+:[\w-]*$/.test(head)) {
        command.error('error: --head must have the form <number>:<hash>');
      }
      const keys = await settings.encryptionKeys();
      const { countsOf, inJson, inText } = await import('../doctor/report.js');
      const { verifyRestored } = await import('./restore-verification.js');
      const progress = (check: string, done: string) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${check}: ${done}`);
      };
      const results = await verifyRestored({ copy, keys, ...(head !== undefined && { head }), progress });
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
      process.stdout.write(json ? inJson(results) : inText(results));
      if (countsOf(results).faults > 0) process.exitCode = exitCodes.fault.code;
    });
}

/** Where the copy is. A fault never contains the address, because it may have a password. */
async function copyOf(
  { databaseUrlFile, databaseUrl, dataDir }: VerifyOptions,
  refuse: (fault: string) => never,
): Promise<RestoreOptions['copy']> {
  if ([databaseUrlFile, databaseUrl, dataDir].filter((each) => each !== undefined).length !== 1) {
    refuse('exactly one of --database-url-file, --database-url and --data-dir is needed');
  }
  if (dataDir !== undefined) return { dataDirectory: resolve(dataDir) };
  const url = databaseUrl ?? textOfFile(databaseUrlFile!, '--database-url-file');
  const { parseDatabaseUrl } = await import('#config');
  const address = parseDatabaseUrl(url);
  if (typeof address === 'string') return refuse(`the address of the copy ${address}`);
  if (databaseUrl !== undefined && address.password !== undefined) {
    refuse('an address with a password belongs in a file: use --database-url-file');
  }
  return { url };
}
