import { setTimeout as sleep } from 'node:timers/promises';
import { type Config } from '#config';

/** More than the database lets a statement wait for a lock: most of what is waited for ends, one way or the other. */
const MAXIMUM_SECONDS = 6;

/**
 * Waits at a stop for work on the database that is under way: as long as for the calls before it, SHUTDOWN_SECONDS, but for one
 * second at least and six at most. A database that does not answer must not hold up the stop until somebody kills the process.
 */
export async function waitAtStop(
  work: Promise<unknown>,
  { shutdownSeconds }: Pick<Config, 'shutdownSeconds'>,
): Promise<void> {
  const seconds = Math.min(Math.max(shutdownSeconds, 1), MAXIMUM_SECONDS);
  const ended = new AbortController();
  const limit = sleep(seconds * 1000, undefined, { signal: ended.signal }).catch(() => undefined);
  await Promise.race([work, limit]);
  ended.abort();
}
