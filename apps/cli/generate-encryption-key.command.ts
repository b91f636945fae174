import { Command } from 'commander';
import { generateKey } from '#crypto';

export function generateEncryptionKeyCommand(): Command {
  return new Command('generate-encryption-key')
    .description(
      'Print a new ENCRYPTION_KEY as a line for .env. Keep a copy: without the key, stored credentials are lost.',
    )
    .action(() => void process.stdout.write(`ENCRYPTION_KEY=${generateKey()}\n`));
}
