import { randomUUID } from 'node:crypto';
import { CommandRunner, Help, Option, SubCommand } from 'nest-commander';
import { type RowFault } from '#credentials';
import { asked, exitCodes, Refusal } from '../command-line';
import { SettingsService } from '../settings.service';

interface RotateOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

@SubCommand({
  name: 'rotate',
  description:
    'Seal all stored credentials under ENCRYPTION_KEY, while the service runs. Asks before it starts; it can be interrupted and run again.',
})
export class EncryptionRotateCommand extends CommandRunner {
  constructor(private readonly settings: SettingsService) {
    super();
  }

  async run(_words: string[], { dryRun = false, yes = false, json = false }: RotateOptions): Promise<void> {
    const config = await this.settings.load();
    const { withServices } = await import('../services.js');
    const faults = await withServices(config, async ({ rotation, sealingKey }) => {
      const keyId = await sealingKey.ownKey();
      if (keyId instanceof Error) throw new Refusal(keyId.message);
      const total = await rotation.outdated();
      const plan = `${total} credentials are to be sealed under ${keyId}.`;
      if (!json) process.stdout.write(`${plan}\n`);
      else if (dryRun) process.stdout.write(`${JSON.stringify({ total, key_id: keyId })}\n`);
      if (dryRun || total === 0) return 0;
      if (!yes && (await asked('Seal them again? [y/N] ')) !== 'y') {
        throw new Refusal('nothing was changed; --yes starts without a question');
      }
      const progress = new Progress(total, json);
      const by = { actor: 'cli', requestId: randomUUID(), address: 'local' };
      for await (const batch of rotation.rotate(by)) progress.add(batch.resealed, batch.faults);
      return progress.finish();
    });
    if (faults > 0) process.exitCode = exitCodes.fault.code;
  }

  @Option({ flags: '--dry-run', description: 'only say how many credentials would be sealed again' })
  dryRun(): boolean {
    return true;
  }

  @Option({ flags: '--yes', description: 'start without a question' })
  yes(): boolean {
    return true;
  }

  @Option({ flags: '--json', description: 'print a line of JSON for each batch, and one at the end' })
  json(): boolean {
    return true;
  }

  @Help('after')
  notes(): string {
    return `
Load the old key in ENCRYPTION_KEY_PREVIOUS and the new one in ENCRYPTION_KEY, in every process of the service and for
this command. The command refuses to start while a running process does not have the new key.
Credentials keep their versions. Calls and changes go on; a credential that is set meanwhile keeps what was set. One that
cannot be sealed again is named and stays as it is.

Examples:
  npm run cli -- encryption rotate --dry-run
  npm run cli -- encryption rotate --yes`;
  }
}

/** Shows how far the rotation is: as one line that is overwritten on a terminal, or as JSON. */
class Progress {
  readonly #startMs = performance.now();
  #resealed = 0;
  #faults = 0;

  constructor(
    private readonly total: number,
    private readonly isJson: boolean,
  ) {}

  add(resealed: number, faults: readonly RowFault[]): void {
    this.#resealed += resealed;
    this.#faults += faults.length;
    const named = faults.map(({ tenantId, provider, slot, status }) => ({
      tenant_id: tenantId,
      provider,
      slot,
      status,
    }));
    if (this.isJson) {
      process.stdout.write(
        `${JSON.stringify({ resealed: this.#resealed, total: this.total, faults: named })}\n`,
      );
      return;
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
    for (const each of named) {
      process.stdout.write(`${each.status}: tenant ${each.tenant_id}, ${each.provider}, ${each.slot}\n`);
    }
    if (process.stderr.isTTY) process.stderr.write(this.#line());
  }

  /** @returns how many credentials could not be sealed again */
  finish(): number {
    if (this.isJson) {
      process.stdout.write(
        `${JSON.stringify({ finished: true, resealed: this.#resealed, faults: this.#faults })}\n`,
      );
    } else {
      if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
      const faults =
        this.#faults === 0 ? '' : `; ${this.#faults} cannot be sealed again, and stay as they are`;
      process.stdout.write(`${this.#resealed} credentials sealed again${faults}.\n`);
    }
    return this.#faults;
  }

  #line(): string {
    const done = this.#resealed + this.#faults;
    const share = Math.min(1, done / this.total);
    const perSecond = done / ((performance.now() - this.#startMs) / 1000);
    const leftSeconds = Math.max(0, Math.ceil((this.total - done) / perSecond));
    const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.');
    return `[${bar}] ${done} of ${this.total}, ${Math.round(perSecond)}/s, ${leftSeconds} s left`;
  }
}
