import { Command } from 'commander';
import { exitCodes, Refusal } from '../command-line';
import { textOfFile } from '../files';
import { type Settings } from '../settings';

interface EneoOptions {
  readonly from?: string;
  readonly fromFile?: string;
  readonly oldEncryptionKeyFile?: string;
  readonly providersFile?: string;
  readonly replace?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function importEneoCommand(settings: Settings): Command {
  return new Command('eneo')
    .description(
      'Copy tenants and their credentials from an Eneo database. Prints the plan, and asks on a terminal; --yes carries it out.',
    )
    .option(
      '--from <url>',
      'the Eneo database, such as postgres://eneo@db.example/eneo; the password in PGPASSWORD',
    )
    .option('--from-file <file>', 'a file that holds this URL: use it when the URL has a password')
    .option(
      '--old-encryption-key-file <file>',
      "a file that holds Eneo's ENCRYPTION_KEY, if it is another one",
    )
    .option('--replace', 'overwrite credentials that differ from those in Eneo')
    .option(
      '--providers-file <file>',
      'when importing, write the providers that the model catalogue must declare to this new file',
    )
    .option('--dry-run', 'only print the plan, also on a terminal')
    .option('--yes', 'carry out the plan without a question')
    .addHelpText(
      'after',
      `
Other users of the machine can read a command line, so prefer --from-file, or give --from without the password, and set PGPASSWORD.
Reads model_providers, then api_credentials for providers that are not there. The Eneo database is only read.
Needs the database and ENCRYPTION_KEY of the service, in either mode. Ids of tenants and times are kept. A key that a loaded
encryption key opens stays sealed as it is. What cannot be read is named and skipped, and the exit code is then 1.
A tenant and its credentials are stored together, so the command can be stopped and repeated. Repeating it changes nothing.

Examples:
  npx tenkey import eneo --from postgres://eneo@db.example/eneo
  npx tenkey import eneo --from-file eneo-url --old-encryption-key-file eneo-key --providers-file providers.yml --yes`,
    )
    .action(async (options: EneoOptions, command: Command) => {
      const { from, fromFile, oldEncryptionKeyFile, providersFile } = options;
      if ((from === undefined) === (fromFile === undefined)) {
        command.error('error: give either --from or --from-file');
      }
      const url = (from ?? textOfFile(fromFile!, '--from-file')).trim();
      if (!/^postgres(ql)?:\/\//.test(url)) {
        command.error('error: the address of the Eneo database must begin with postgres://');
      }
      const config = await settings.load();
      const oldKey =
        oldEncryptionKeyFile === undefined
          ? undefined
          : await keyOf(textOfFile(oldEncryptionKeyFile, '--old-encryption-key-file'));
      const { importEneo } = await import('./import-eneo.js');
      const { replace = false, dryRun = false, yes = false } = options;
      const mode = dryRun ? 'print' : yes ? 'run' : 'ask';
      const faults = await importEneo(config, { from: url, oldKey, replace, mode, providersFile });
      if (faults > 0) process.exitCode = exitCodes.fault.code;
    });
}

async function keyOf(text: string) {
  const { FernetService, InvalidKey, Secret } = await import('#crypto');
  try {
    return new FernetService({ current: new Secret(text), previous: [] });
  } catch (error) {
    if (!(error instanceof InvalidKey)) throw error;
    throw new Refusal(
      "the file of --old-encryption-key-file must hold only Eneo's ENCRYPTION_KEY, a Fernet key of 44 characters",
    );
  }
}
