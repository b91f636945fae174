import { Command } from 'commander';
import { type EncryptionResponse as Encryption } from '#credentials';
import { exitCodes, jsonOption, tableOf } from '../command-line';
import { type Cell, csvOf, csvOption, jsonLine } from '../output';
import { type Settings } from '../settings';

interface StatusOptions {
  readonly csv?: boolean;
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
    .addOption(csvOption())
    .addHelpText(
      'after',
      `
Keys are named by their fingerprint, which is key_id in JSON and CSV. A key is loaded when it is in ENCRYPTION_KEY or
ENCRYPTION_KEY_PREVIOUS. "processes" counts the running processes of the service that have it.

Examples:
  npx tenkey encryption status
  npx tenkey encryption status --missing --json`,
    )
    .action(async ({ csv = false, json = false, missing = false }: StatusOptions) => {
      const config = await settings.load();
      const { EncryptionResponse } = await import('#credentials');
      const { withServices } = await import('../services.js');
      await withServices(config, async ({ encryption, rotation }) => {
        if (missing) {
          const rows = await encryption.unreadable();
          const cells = rows.map((row) => [row.tenant_id, row.provider, row.slot, row.key_id]);
          process.stdout.write(
            json
              ? rows.map(jsonLine).join('')
              : csv
                ? await csvOf([['tenant_id', 'provider', 'slot', 'key_id'], ...cells])
                : tableOf([['tenant', 'provider', 'slot', 'sealed under'], ...cells]),
          );
          if (rows.length > 0) process.exitCode = exitCodes.fault.code;
          return;
        }
        const response = EncryptionResponse.of(await encryption.status(), await rotation.latest());
        process.stdout.write(
          json ? jsonLine(response) : csv ? await csvOf(inRows(response)) : inText(response),
        );
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

function inRows({ keys }: Encryption): Cell[][] {
  return [
    ['key_id', 'seals', 'retired', 'loaded', 'live', 'staged', 'previous', 'signing_keys', 'processes'],
    ...keys.map(({ key_id: id, seals, retired, loaded, rows, processes }) => [
      ...[id, seals, retired, loaded],
      ...[rows.live, rows.staged, rows.previous, rows.signing_keys, processes],
    ]),
  ];
}
