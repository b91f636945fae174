import { Command } from 'commander';
import { type EncryptionResponse as Encryption } from '#credentials';
import { exitCodes, jsonOption, tableOf } from '../command-line';
import { type Settings } from '../settings';

interface StatusOptions {
  readonly json?: boolean;
  readonly missing?: boolean;
}

export function encryptionStatusCommand(settings: Settings): Command {
  return new Command('status')
    .description(
      'Show which encryption key seals, what is sealed under each key, and which processes have it. Needs the database; decrypts nothing.',
    )
    .option('--missing', 'list the credentials that no loaded key can open, which must be entered again')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
A key is loaded when it is in ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS. "processes" counts the running processes of
the service that have it.

Examples:
  npx tenkey encryption status
  npx tenkey encryption status --missing --json`,
    )
    .action(async ({ json = false, missing = false }: StatusOptions) => {
      const config = await settings.load();
      const { EncryptionResponse } = await import('#credentials');
      const { withServices } = await import('../services.js');
      await withServices(config, async ({ encryption, rotation }) => {
        if (missing) {
          const rows = await encryption.unreadable();
          const header = ['tenant', 'provider', 'slot', 'sealed under'];
          const cells = rows.map((row) => [row.tenant_id, row.provider, row.slot, row.key_id]);
          process.stdout.write(
            json ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : tableOf([header, ...cells]),
          );
          if (rows.length > 0) process.exitCode = exitCodes.fault.code;
          return;
        }
        const response = EncryptionResponse.of(await encryption.status(), await rotation.latest());
        process.stdout.write(json ? `${JSON.stringify(response)}\n` : inText(response));
      });
    });
}

function inText({ keys, older_seals: olderSeals, processes, rotation }: Encryption): string {
  const lines = keys.map((key) => [
    key.key_id,
    key.seals ? 'seals' : key.retired ? 'retired' : '',
    key.loaded ? 'loaded here' : 'not loaded here',
    String(key.rows.live),
    String(key.rows.staged),
    String(key.rows.previous),
    String(key.rows.signing_keys),
    `${key.processes} of ${processes}`,
  ]);
  const heading = ['fingerprint', '', '', 'live', 'staged', 'previous', 'signing keys', 'processes'];
  const older = olderSeals > 0 ? `${olderSeals} rows have a seal of an older form\n` : '';
  const latest =
    rotation === null
      ? ''
      : `rotation to ${rotation.key_id}: ${rotation.state}, ${rotation.resealed} of ${rotation.total} sealed again, ${rotation.failed} failed\n`;
  return tableOf([heading, ...lines]) + older + latest;
}
