import { setTimeout as wait } from 'node:timers/promises';

/** How often something is started that may still be running when the next one is due. */
export interface Pace {
  readonly perSecond: number;
  /** How many may run at once on a busy machine. What is due then is left out. */
  readonly open: number;
  readonly isOver: () => boolean;
}

/** Starts work at a steady rate. @returns how often it was left out, when all of it has ended */
export async function paced({ perSecond, open, isOver }: Pace, run: () => Promise<void>): Promise<number> {
  const running = new Set<Promise<void>>();
  let leftOut = 0;
  for (let next = performance.now(); !isOver(); next += 1000 / perSecond) {
    const early = next - performance.now();
    // Timers count whole milliseconds, so several are started at once when the rate is high.
    if (early > 0) await wait(early);
    if (running.size >= open) {
      leftOut += 1;
      continue;
    }
    const one = run().finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
  return leftOut;
}
