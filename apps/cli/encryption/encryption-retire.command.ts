import { Command } from 'commander';
import { changedByCommand, confirm, Refusal } from '../command-line';
import { type Settings } from '../settings';

interface RetireOptions {
  readonly yes?: boolean;
}

export function encryptionRetireCommand(settings: Settings): Command {
  return new Command('retire')
    .description(
      'Retire an encryption key that another one has replaced, so that it can be removed from ENCRYPTION_KEY_PREVIOUS. Refuses while anything is sealed under it.',
    )
    .argument('<fingerprint>')
    .option('--yes', 'retire it without a question')
    .addHelpText(
      'after',
      `
Run it with the settings of the service, and with the old key still in ENCRYPTION_KEY_PREVIOUS. Audit events and receipts
that were signed under the old key can still be verified afterwards. A retired key never seals again.

Examples:
  npx tenkey encryption retire a468705fb8f4
  npx tenkey encryption retire a468705fb8f4 --yes`,
    )
    .action(async (keyId: string, { yes = false }: RetireOptions, command: Command) => {
      // Whatever was pasted instead is not repeated.
      if (!/^[0-9a-f]{12}$/.test(keyId)) {
        command.error('error: a fingerprint has 12 characters of 0-9 and a-f; encryption status shows it');
      }
      const config = await settings.load();
      const { withServices } = await import('../services.js');
      await withServices(config, async ({ sealingKey }) => {
        if (!yes) await confirm(`Retire ${keyId}, so that it never seals again?`);
        const reason = await sealingKey.retire(keyId, changedByCommand());
        if (reason !== undefined) throw new Refusal(`nothing was changed: ${reason}`);
        process.stdout.write(
          `${keyId} is retired. Remove it from ENCRYPTION_KEY_PREVIOUS of every process. Audit events and receipts that were signed under it can still be verified.\n`,
        );
      });
    });
}
