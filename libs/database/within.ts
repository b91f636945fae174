import { setTimeout as sleep } from 'node:timers/promises';

/** What the work comes to, or undefined when that takes longer. The work goes on, and a fault of it after that is dropped. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  const ended = new AbortController();
  const limit = sleep(milliseconds, undefined, { signal: ended.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, limit]);
  } finally {
    ended.abort();
  }
}
