import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { type Rotation, type RotationService } from '#credentials';
import { asRefusal, changedByCommand, confirm, exitCodes, Interrupted, Refusal } from '../command-line';
import { visible } from '../output';
import { type Settings } from '../settings';

interface RotateOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function encryptionRotateCommand(settings: Settings): Command {
  return new Command('rotate')
    .description(
      'Seal all stored credentials under ENCRYPTION_KEY, while the service runs. Asks before it starts. A rotation that is interrupted is continued by the next one.',
    )
    .option('--dry-run', 'only say how many credentials would be sealed again')
    .option('--yes', 'start without a question')
    .option('--json', 'print a line of JSON for each batch; the last one has the state finished')
    .addHelpText(
      'after',
      `
Load the old key in ENCRYPTION_KEY_PREVIOUS and the new one in ENCRYPTION_KEY, in every process of the service and for
this command. The command refuses to start while a running process does not have the new key.
Credentials keep their versions. Calls and changes go on; a credential that is set meanwhile keeps what was set. One that
cannot be sealed again is named and stays as it is.
The processes of the service help, and continue the rotation when this command is killed. Ctrl-C pauses it.

Examples:
  npx tenkey encryption rotate --dry-run
  npx tenkey encryption rotate --yes`,
    )
    .action(async ({ dryRun = false, yes = false, json = false }: RotateOptions) => {
      const config = await settings.load();
      const { withServices } = await import('../services.js');
      const failed = await withServices(config, async ({ rotation }) => {
        const { total, keyId } = await planOf(rotation);
        const latest = await rotation.latest();
        const isOpen = latest !== undefined && latest.state !== 'finished';
        if (!json) {
          process.stdout.write(`${total} rows are to be sealed under ${keyId}.\n`);
          if (isOpen) process.stdout.write(`A rotation is ${latest.state}; this continues it.\n`);
        } else if (dryRun) process.stdout.write(`${JSON.stringify({ total, key_id: keyId })}\n`);
        if (dryRun || (total === 0 && !isOpen)) return 0;
        if (!yes) await confirm('Seal them again?');
        return sealAll(rotation, json);
      });
      if (failed > 0) process.exitCode = exitCodes.fault.code;
    });
}

async function planOf(rotation: RotationService): ReturnType<RotationService['plan']> {
  try {
    return await rotation.plan();
  } catch (error) {
    throw asRefusal(error);
  }
}

/** How often to look when a process of the service is sealing a batch. */
const LOOK_MS = 100;

/**
 * Seals one batch after the other, as the processes of the service do at the same time, and shows how far the rotation is. Ctrl-C
 * pauses it.
 * @returns how many credentials could not be sealed again
 */
async function sealAll(rotation: RotationService, json: boolean): Promise<number> {
  const by = changedByCommand();
  const progress = new Progress(await rotation.start(by), json);
  let isInterrupted = false;
  const interrupt = () => void (isInterrupted = true);
  process.once('SIGINT', interrupt);
  try {
    for (;;) {
      const sealed = await rotation.batch();
      const now = sealed ?? (await rotation.latest());
      if (now === undefined) return 0;
      progress.show(now);
      if (now.state === 'finished') return now.failed;
      if (isInterrupted && now.state === 'running') await rotation.pause(by);
      const paused = 'the rotation is paused. Run npx tenkey encryption rotate to continue it';
      if (isInterrupted) throw new Interrupted(paused);
      if (now.state === 'paused') throw new Refusal(paused);
      if (sealed === undefined) await wait(LOOK_MS);
    }
  } finally {
    process.off('SIGINT', interrupt);
    progress.clear();
  }
}

/** Shows how far the rotation is: as one line that is overwritten on a terminal, or as JSON. */
class Progress {
  readonly #startMs = performance.now();
  readonly #sealedBefore: number;
  #faults = 0;

  constructor(
    started: Rotation,
    private readonly isJson: boolean,
  ) {
    this.#sealedBefore = started.resealed + started.failed;
  }

  show(now: Rotation): void {
    const { state, resealed, failed, total, faults } = now;
    // Another pass begins without faults.
    if (faults.length < this.#faults) this.#faults = 0;
    const named = faults.slice(this.#faults);
    this.#faults = faults.length;
    if (this.isJson) {
      process.stdout.write(`${JSON.stringify({ state, resealed, failed, total, faults: named })}\n`);
      return;
    }
    this.clear();
    for (const { status, tenant_id: tenantId, provider, slot } of named) {
      process.stdout.write(`${status}: tenant ${tenantId}, ${visible(provider)}, ${slot}\n`);
    }
    if (state === 'finished') {
      const rest = failed === 0 ? '' : `; ${failed} cannot be sealed again, and stay as they are`;
      process.stdout.write(`${resealed} rows sealed again${rest}.\n`);
    } else if (process.stderr.isTTY) process.stderr.write(this.#line(now));
  }

  clear(): void {
    if (!this.isJson && process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }

  #line({ resealed, failed, total }: Rotation): string {
    const done = resealed + failed;
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const perSecond = (done - this.#sealedBefore) / ((performance.now() - this.#startMs) / 1000);
    const left = perSecond > 0 ? `, ${Math.max(0, Math.ceil((total - done) / perSecond))} s left` : '';
    const bar = '#'.repeat(Math.round(share * 30)).padEnd(30, '.');
    return `[${bar}] ${done} of ${total}, ${Math.round(perSecond)}/s${left}`;
  }
}
