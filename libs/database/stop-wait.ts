import { type Config } from '#config';
import { within } from './within';

type StopConfig = Pick<Config, 'shutdownSeconds'>;

/** More than the database lets a statement wait for a lock: most of what is waited for ends, one way or the other. */
const MAXIMUM_SECONDS = 6;
/** Also for what is waited for when something before it took all of the time. */
const MINIMUM_MS = 1000;

/** When what a process waits for has had its time, by the settings of the process. */
const deadlines = new WeakMap<StopConfig, number>();

/**
 * Waits at a stop for work on the database that is under way. All such work of a process has the same time: as long as the
 * calls before it, SHUTDOWN_SECONDS, but six seconds at most; each has one second at least. A database that does not answer must
 * not hold up the stop until somebody kills the process.
 * @param config the one object of the process
 */
export async function waitAtStop(work: Promise<unknown>, config: StopConfig): Promise<void> {
  const now = Date.now();
  const deadline = deadlines.get(config) ?? now + Math.min(config.shutdownSeconds, MAXIMUM_SECONDS) * 1000;
  deadlines.set(config, deadline);
  await within(Math.max(deadline - now, MINIMUM_MS), work);
}
