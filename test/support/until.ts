import { setTimeout as wait } from 'node:timers/promises';

/** Longer than anything waited for takes on a busy machine, shorter than jest gives a test. */
const PATIENCE_MS = 20_000;

/** Waits for what becomes true in the background, and fails with `what` when it does not. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s`);
    await wait(20);
  }
}
