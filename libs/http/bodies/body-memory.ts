import { totalmem } from 'node:os';
import { Problem } from '../problems/problem';

const DEFAULT_BYTES = 256 * 1024 * 1024;
/** A body leaves as soon as its provider responds, so there is room again soon. */
const RETRY_AFTER_SECONDS = '1';

interface MemoryLimits {
  /** Undefined: a quarter of the memory that the process may use, or 256 MiB where nothing limits it. */
  readonly maxBufferedBytes: number | undefined;
  /** The largest body of a call. */
  readonly maxBodyBytes: number;
}

/** Limits the bytes of bodies that are in memory at a time, in all requests together. */
export class BodyMemory {
  #free: number;

  constructor({ maxBufferedBytes, maxBodyBytes }: MemoryLimits) {
    // The largest body must fit, or it could never be sent.
    this.#free = Math.max(maxBufferedBytes ?? defaultBytes(), maxBodyBytes);
  }

  get free(): number {
    return this.#free;
  }

  /** @returns false when there are not so many */
  take(bytes: number): boolean {
    if (bytes > this.#free) return false;
    this.#free -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#free += bytes;
  }
}

/** What one request has taken of the memory for bodies. */
export class MemoryShare {
  #bytes = 0;
  #isClosed = false;

  constructor(private readonly memory: BodyMemory) {}

  /** @returns why the bytes could not be held now, or undefined. It takes none */
  refusalOf(bytes: number): Problem | undefined {
    return bytes > this.memory.free ? overloaded() : undefined;
  }

  /** @returns why the bytes cannot be held, or undefined */
  take(bytes: number): Problem | undefined {
    if (this.#isClosed) return undefined;
    if (!this.memory.take(bytes)) return overloaded();
    this.#bytes += bytes;
    return undefined;
  }

  /** Gives everything back. */
  release(): void {
    this.memory.giveBack(this.#bytes);
    this.#bytes = 0;
  }

  /** Gives everything back, at the end of the request. What still arrives is dropped and not counted. */
  close(): void {
    this.release();
    this.#isClosed = true;
  }
}

function overloaded(): Problem {
  return new Problem('overloaded', {
    detail: 'The bodies of running requests use all the memory that Tenkey may use for bodies.',
    hint: `Try again in ${RETRY_AFTER_SECONDS} s. An operator can raise MAX_BUFFERED_BYTES or start more processes.`,
    headers: { 'retry-after': RETRY_AFTER_SECONDS },
  });
}

function defaultBytes(): number {
  // Without a limit, Node returns undefined, 0 or a number beyond any memory, depending on the system.
  const limit = process.constrainedMemory() ?? 0;
  return limit > 0 && limit <= totalmem() ? Math.floor(limit / 4) : DEFAULT_BYTES;
}
