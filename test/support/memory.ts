import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Bytes in use after garbage collection: on the heap and outside it, and the resident size of the process. It collects twice,
 * because V8 takes the buffers that one collection frees off its count of external memory only in the next one.
 */
export function memory(): { used: number; resident: number } {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { used: heapUsed + external, resident: rss };
}
