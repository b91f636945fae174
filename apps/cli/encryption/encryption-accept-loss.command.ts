import { Command } from 'commander';
import { asked, changedByCommand, Refusal } from '../command-line';
import { type Settings } from '../settings';

interface AcceptLossOptions {
  readonly fingerprint?: string;
}

export function encryptionAcceptLossCommand(settings: Settings): Command {
  return new Command('accept-loss')
    .description(
      'Declare that the encryption key of the database is lost for good, so that credentials can be set under ENCRYPTION_KEY. Asks for the fingerprint of the lost key.',
    )
    .option('--fingerprint <fingerprint>', 'the fingerprint of the lost key, without a question')
    .addHelpText(
      'after',
      `
Nothing is deleted: if the key is found again, load it in ENCRYPTION_KEY_PREVIOUS, and its credentials can be used.

Example:
  npx tenkey encryption accept-loss`,
    )
    .action(async ({ fingerprint }: AcceptLossOptions) => {
      const config = await settings.load();
      const { withServices } = await import('../services.js');
      await withServices(config, async ({ encryption, sealingKey }) => {
        const { keys } = await encryption.status();
        const sealing = keys.find(({ isSealing }) => isSealing);
        if (sealing === undefined || sealing.isLoaded) {
          throw new Refusal('the encryption key of this database is loaded, so nothing is lost');
        }
        if (sealing.processes > 0) {
          throw new Refusal(
            'a running process still has the key, so it is not lost. Use the ENCRYPTION_KEY of that process',
          );
        }
        const { live, staged, previous } = sealing.rows;
        process.stdout.write(
          `The key with the fingerprint ${sealing.keyId} is not loaded. ${live + staged + previous} credentials are sealed under it; tenants must enter them again.\n`,
        );
        const given = fingerprint ?? (await asked('Type the fingerprint to say that this key is lost: '));
        if (given !== sealing.keyId) {
          throw new Refusal('nothing was changed: --fingerprint must be the fingerprint of the lost key');
        }
        if (!(await sealingKey.acceptLoss(sealing.keyId, changedByCommand()))) {
          throw new Refusal('nothing was changed: the key was found meanwhile');
        }
        process.stdout.write(
          `Credentials are sealed under ENCRYPTION_KEY from now on. npx tenkey encryption status --missing lists those that must be entered again.\n`,
        );
      });
    });
}
