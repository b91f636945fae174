import { type Lease, type Moment } from './lease';
import { type Changed, type LeasedStore } from './leased-store';

/** A change of cached rows, as PostgreSQL announces it. */
export interface AnnouncedChange {
  readonly number: number;
  readonly changed: Changed;
}

/**
 * The change in the payload of a notification: `<number> <tenant>,<tenant>`, or `<number> *` for all tenants.
 * @returns undefined for any other payload
 */
export function announcedChange(payload: string): AnnouncedChange | undefined {
  const match = /^(\d+) (\*|[0-9a-f,-]+)$/.exec(payload);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { number: Number(match[1]), changed: match[2] === '*' ? 'all' : match[2].split(',') };
}

/**
 * What one process knows about changes, and what it may therefore keep: the receiving half of the protocol, without any input
 * or output. Its methods are called as things happen on the one connection that receives notifications and renews the lease.
 * PostgreSQL sends notifications in the order of the commits, and numbers have no gaps.
 */
export class Membership {
  private state: 'disconnected' | 'registering' | 'registered' = 'disconnected';
  /** The number of the last change that this process knows and that nothing in its cache is older than. */
  private applied = 0;
  /** The number in the last renewal, if it was higher: its notification should have arrived by the next one. */
  private awaited: number | undefined;

  constructor(
    private readonly lease: Lease,
    private readonly store: LeasedStore,
  ) {}

  /** The number that the next renewal confirms. */
  get confirmed(): number {
    return this.applied;
  }

  get isRegistered(): boolean {
    return this.state === 'registered';
  }

  /** A new connection: changes may have been missed until now. Call it before LISTEN. */
  connected(): void {
    this.reset('registering');
    this.applied = 0;
  }

  /** The registration has returned; it was executed after LISTEN. */
  registered(number: number, sent: Moment): void {
    // A notification may be read before the response of the statement that was executed before it.
    this.applied = Math.max(number, this.applied);
    this.state = 'registered';
    this.lease.extend(sent);
    this.store.startKeeping();
  }

  notified({ number, changed }: AnnouncedChange): void {
    if (this.state === 'registering') {
      this.applied = Math.max(number, this.applied);
    } else if (number <= this.applied + 1) {
      this.store.drop(changed);
      this.applied = Math.max(number, this.applied);
    } else {
      this.dropAll(number);
    }
  }

  /**
   * Extends the lease only when the process knows every change, so that a lease always expires within its time after a change
   * that the process has missed.
   * @param number that of the last change when the renewal was executed
   * @param confirmed what the renewal confirmed
   */
  renewed(number: number, confirmed: number, sent: Moment): void {
    const isMissed = this.awaited !== undefined && this.applied < this.awaited;
    // If it is lower than what was known before, it was set back in SQL or comes from a backup.
    if (isMissed || number < confirmed) this.dropAll(number);
    const isBehind = number > this.applied;
    this.awaited = isBehind ? number : undefined;
    if (!isBehind) this.lease.extend(sent);
  }

  /** The renewal found no registration: another process has given up waiting for this one. Register again after this. */
  forgotten(): void {
    this.reset('registering');
    this.applied = 0;
  }

  /** Calls go on with what is cached until the lease expires. */
  disconnected(): void {
    this.state = 'disconnected';
    this.store.stopKeeping();
  }

  private reset(state: 'registering'): void {
    this.state = state;
    this.awaited = undefined;
    this.lease.end();
    this.store.stopKeeping();
    this.store.drop('all');
  }

  private dropAll(number: number): void {
    this.store.drop('all');
    this.applied = number;
  }
}
