import { CommandRunner, Help, Option, SubCommand } from 'nest-commander';
import { changedByCommand, confirm, Refusal } from '../command-line';
import { SettingsService } from '../settings.service';

interface RetireOptions {
  readonly yes?: boolean;
}

@SubCommand({
  name: 'retire',
  arguments: '<fingerprint>',
  description:
    'Retire an encryption key that another one has replaced, so that it can be removed from ENCRYPTION_KEY_PREVIOUS. Refuses while anything is sealed under it.',
})
export class EncryptionRetireCommand extends CommandRunner {
  constructor(private readonly settings: SettingsService) {
    super();
  }

  async run([keyId = '']: string[], { yes = false }: RetireOptions): Promise<void> {
    // Whatever was pasted instead is not repeated.
    if (!/^[0-9a-f]{12}$/.test(keyId)) {
      this.command.error('error: a fingerprint has 12 characters of 0-9 and a-f; encryption status shows it');
    }
    const config = await this.settings.load();
    const { withServices } = await import('../services.js');
    await withServices(config, async ({ sealingKey }) => {
      if (!yes) await confirm(`Retire ${keyId}, so that it never seals again?`);
      const reason = await sealingKey.retire(keyId, changedByCommand());
      if (reason !== undefined) throw new Refusal(`nothing was changed: ${reason}`);
      process.stdout.write(
        `${keyId} is retired. Remove it from ENCRYPTION_KEY_PREVIOUS of every process. Audit events and receipts that were signed under it can still be verified.\n`,
      );
    });
  }

  @Option({ flags: '--yes', description: 'retire it without a question' })
  yes(): boolean {
    return true;
  }

  @Help('after')
  notes(): string {
    return `
Run it with the settings of the service, and with the old key still in ENCRYPTION_KEY_PREVIOUS. Audit events and receipts
that were signed under the old key can still be verified afterwards. A retired key never seals again.

Examples:
  npm run cli -- encryption retire a468705fb8f4
  npm run cli -- encryption retire a468705fb8f4 --yes`;
  }
}
