import { CommandRunner, Help, Option, SubCommand } from 'nest-commander';
import { type UnreadableRow } from '#credentials';
import { exitCodes, JsonOption, tableOf } from '../command-line';
import { SettingsService } from '../settings.service';

interface StatusOptions {
  readonly json?: boolean;
  readonly missing?: boolean;
}

@SubCommand({
  name: 'status',
  description:
    'Show which encryption key seals, what is sealed under each key, and which processes have it. Needs the database; decrypts nothing.',
})
export class EncryptionStatusCommand extends CommandRunner {
  constructor(private readonly settings: SettingsService) {
    super();
  }

  async run(_words: string[], { json = false, missing = false }: StatusOptions): Promise<void> {
    const config = await this.settings.load();
    const { withServices } = await import('../services.js');
    await withServices(config, async ({ rotation }) => {
      if (missing) {
        const rows = await rotation.unreadable();
        const inJson = ({ tenantId, provider, slot, keyId }: UnreadableRow) =>
          JSON.stringify({ tenant_id: tenantId, provider, slot, key_id: keyId });
        const header = ['tenant', 'provider', 'slot', 'sealed under'];
        const cells = rows.map((row) => [row.tenantId, row.provider, row.slot, row.keyId]);
        process.stdout.write(
          json ? rows.map((row) => `${inJson(row)}\n`).join('') : tableOf([header, ...cells]),
        );
        if (rows.length > 0) process.exitCode = exitCodes.fault.code;
        return;
      }
      const { keys, olderSeals, processes } = await rotation.status();
      if (json) {
        const shown = keys.map(({ keyId, isSealing, isLoaded, rows, processes: having }) => ({
          key_id: keyId,
          seals: isSealing,
          loaded: isLoaded,
          rows,
          processes: having,
        }));
        process.stdout.write(`${JSON.stringify({ keys: shown, older_seals: olderSeals, processes })}\n`);
        return;
      }
      const lines = keys.map((key) => [
        key.keyId,
        key.isSealing ? 'seals' : '',
        key.isLoaded ? 'loaded here' : 'not loaded here',
        String(key.rows.live),
        String(key.rows.staged),
        String(key.rows.previous),
        `${key.processes} of ${processes}`,
      ]);
      process.stdout.write(
        tableOf([['fingerprint', '', '', 'live', 'staged', 'previous', 'processes'], ...lines]),
      );
      if (olderSeals > 0) process.stdout.write(`${olderSeals} rows have a seal of an older form\n`);
    });
  }

  @Option({
    flags: '--missing',
    description: 'list the credentials that no loaded key can open, which must be entered again',
  })
  missing(): boolean {
    return true;
  }

  @JsonOption()
  json(): boolean {
    return true;
  }

  @Help('after')
  notes(): string {
    return `
A key is loaded when it is in ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS. "processes" counts the running processes of
the service that have it.

Examples:
  npm run cli -- encryption status
  npm run --silent cli -- encryption status --missing --json`;
  }
}
