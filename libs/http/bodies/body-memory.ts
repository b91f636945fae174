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

/** A tenant with several bodies may hold so many times what it leaves free. */
const HELD_PER_FREE = 3;
/** A request of this size, or of a 64th of the limit, is not what fills the memory, so it only needs to fit. */
const SMALL_BYTES = 64 * 1024;

/**
 * Limits the bytes of bodies that are in memory at a time, in all requests together. A tenant whose bodies pile up, because its
 * provider does not respond, can hold three quarters of it, and small ones beyond that; what it leaves is shared in the same way by the others.
 */
export class BodyMemory {
  #free: number;
  readonly #smallBytes: number;
  /** By tenant, only of those that hold something. */
  readonly #held = new Map<string, number>();

  constructor({ maxBufferedBytes, maxBodyBytes }: MemoryLimits) {
    // The largest body must fit, or it could never be sent.
    this.#free = Math.max(maxBufferedBytes ?? defaultBytes(), maxBodyBytes);
    this.#smallBytes = Math.min(SMALL_BYTES, this.#free / 64);
  }

  /**
   * @param own what the request has taken already: a single body may be as long as there is room
   * @returns false when so many bytes cannot be held now
   */
  hasRoomFor(bytes: number, tenant: string, own: number): boolean {
    if (bytes > this.#free) return false;
    const held = this.#held.get(tenant) ?? 0;
    return (
      own + bytes <= this.#smallBytes || held === own || held + bytes <= HELD_PER_FREE * (this.#free - bytes)
    );
  }

  take(bytes: number, tenant: string): void {
    this.#free -= bytes;
    this.#held.set(tenant, (this.#held.get(tenant) ?? 0) + bytes);
  }

  giveBack(bytes: number, tenant: string): void {
    this.#free += bytes;
    const held = (this.#held.get(tenant) ?? 0) - bytes;
    if (held > 0) this.#held.set(tenant, held);
    else this.#held.delete(tenant);
  }
}

/** What one request has taken of the memory for bodies. */
export class MemoryShare {
  #bytes = 0;
  #isClosed = false;
  #tenant: string | undefined;

  /** @param tenantOf is called once a key was accepted */
  constructor(
    private readonly memory: BodyMemory,
    private readonly tenantOf: () => string,
  ) {}

  /** @returns why the bytes could not be held now, or undefined. It takes none */
  refusalOf(bytes: number): Problem | undefined {
    return this.memory.hasRoomFor(bytes, (this.#tenant ??= this.tenantOf()), this.#bytes)
      ? undefined
      : overloaded();
  }

  /** @returns why the bytes cannot be held, or undefined */
  take(bytes: number): Problem | undefined {
    if (this.#isClosed) return undefined;
    const refusal = this.refusalOf(bytes);
    if (refusal !== undefined) return refusal;
    this.memory.take(bytes, this.#tenant ?? '');
    this.#bytes += bytes;
    return undefined;
  }

  /** Gives everything back. */
  release(): void {
    if (this.#bytes === 0) return;
    this.memory.giveBack(this.#bytes, this.#tenant ?? '');
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
    detail:
      'The bodies of running requests use all the memory that Tenkey may use for bodies, or that one tenant may use of it.',
    hint: `Try again in ${RETRY_AFTER_SECONDS} s. An operator can raise MAX_BUFFERED_BYTES or start more processes.`,
    headers: { 'retry-after': RETRY_AFTER_SECONDS },
  });
}

function defaultBytes(): number {
  // Without a limit, Node returns undefined, 0 or a number beyond any memory, depending on the system.
  const limit = process.constrainedMemory() ?? 0;
  return limit > 0 && limit <= totalmem() ? Math.floor(limit / 4) : DEFAULT_BYTES;
}
