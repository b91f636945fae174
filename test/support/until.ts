import { setTimeout as wait } from 'node:timers/promises';

/** Long enough for a busy machine, and shorter than jest's time-out of a test. */
const PATIENCE_MS = 20_000;

/** Waits until a condition holds. Throws an error that names it with `what` when it never does. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what}: did not happen within ${patienceMs / 1000} s`);
    await wait(20);
  }
}
