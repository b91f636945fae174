import { setTimeout as sleep } from 'node:timers/promises';
import { type Config } from '#config';

type StopConfig = Pick<Config, 'shutdownSeconds'>;

/** Longer than a statement waits for a lock, so that most work either succeeds or fails in this time. */
const MAXIMUM_SECONDS = 6;
/** The time that work has even if earlier work has used up the shared time. */
const MINIMUM_MS = 1000;

/** The deadline that all work of a process shares, by the settings of the process. */
const deadlines = new WeakMap<StopConfig, number>();

/**
 * Waits at a stop for database work that is running. All such work of a process shares one deadline, SHUTDOWN_SECONDS but
 * at most six seconds, and each piece of work has at least one second. A database that does not respond must not delay the
 * stop until the process is killed.
 * @param config the one object of the process
 */
export async function waitAtStop(work: Promise<unknown>, config: StopConfig): Promise<void> {
  const now = Date.now();
  const deadline = deadlines.get(config) ?? now + Math.min(config.shutdownSeconds, MAXIMUM_SECONDS) * 1000;
  deadlines.set(config, deadline);
  await within(Math.max(deadline - now, MINIMUM_MS), work);
}

/** The result of the work, or undefined if it takes longer. The work then continues, and a later error is ignored. */
export async function within<T>(limitMs: number, work: Promise<T>): Promise<T | undefined> {
  const settled = new AbortController();
  const timeout = sleep(limitMs, undefined, { signal: settled.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    settled.abort();
  }
}
