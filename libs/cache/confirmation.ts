/** A process as the registry shows it. */
export interface RegisteredProcess {
  readonly id: string;
  /** 0: it caches nothing, so nobody waits for it. */
  readonly leaseMs: number;
  /** How often it has renewed its registration. */
  readonly renewals: number;
  /** The number of the last change that it has applied. */
  readonly confirmed: number;
}

interface Observation {
  readonly renewals: number;
  /** When this number of renewals was first seen, on the monotonic clock. */
  readonly since: number;
}

/** How long a process without a lease may go without a renewal before its registration is removed. */
const UNLEASED_MS = 15_000;

/**
 * What this process has seen of the registry: the waiting half of the protocol, without any input or output. A process that has
 * not renewed for its lease and a tenth more, by the clock of the one that waits, can no longer use what it has cached. The
 * tenth allows for clocks that run differently.
 */
export class RegistryObservations {
  private seen = new Map<string, Observation>();
  private longest = 0;

  /** The longest lease that was registered when the registry was last read, in milliseconds. */
  get longestLeaseMs(): number {
    return this.longest;
  }

  /**
   * @param sent when the query was sent, on the monotonic clock
   * @param received when its rows arrived
   * @returns the processes that have not renewed in time. Their leases have expired, but only after their rows are deleted (each
   *   only if it still shows the same number of renewals) can they not come back with what they have cached
   */
  observe(processes: readonly RegisteredProcess[], sent: number, received: number): RegisteredProcess[] {
    const seen = new Map<string, Observation>();
    const silent: RegisteredProcess[] = [];
    this.longest = 0;
    for (const process of processes) {
      this.longest = Math.max(this.longest, process.leaseMs);
      const known = this.seen.get(process.id);
      const observation =
        known?.renewals === process.renewals ? known : { renewals: process.renewals, since: received };
      seen.set(process.id, observation);
      if (sent - observation.since > limitOf(process)) silent.push(process);
    }
    this.seen = seen;
    return silent;
  }
}

function limitOf({ leaseMs }: RegisteredProcess): number {
  return leaseMs === 0 ? UNLEASED_MS : leaseMs * 1.1;
}

/** Whether calls of this process may still use the rows from before the change. */
export function isAwaited(process: RegisteredProcess, number: number): boolean {
  return process.leaseMs > 0 && process.confirmed < number;
}
