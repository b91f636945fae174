import { setFlagsFromString } from 'node:v8';

/** V8 reads these whenever it decides, so they can be set in a running process. docs/performance.md says what they are worth. */
export const flags: readonly string[] = [
  // By default, V8 starts the next full collection of a heap like ours after 8 MB, and counts the bytes of request bodies:
  // with bodies of 1 MB, it collects all the time. With this flag the heap may first grow to twice its size.
  '--heap-growing-percent=100',
  // By default, V8 creates objects in the old generation once many from the same line of code have survived, as they do while
  // long bodies arrive. Until the next full collection, a dead object there keeps everything that it refers to.
  '--no-allocation-site-pretenuring',
];

export function tuneGarbageCollection(): void {
  flags.forEach((flag) => setFlagsFromString(flag));
}
