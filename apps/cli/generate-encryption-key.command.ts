import { Command, CommandRunner } from 'nest-commander';
import { generateKey } from '#crypto';

@Command({
  name: 'generate-encryption-key',
  description:
    'Print a new ENCRYPTION_KEY as a line for .env. Keep a copy: without the key, stored credentials are lost.',
})
export class GenerateEncryptionKeyCommand extends CommandRunner {
  run(): Promise<void> {
    process.stdout.write(`ENCRYPTION_KEY=${generateKey()}\n`);
    return Promise.resolve();
  }
}
