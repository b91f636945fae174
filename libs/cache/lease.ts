/** The clocks of this process, in milliseconds. */
export interface Clock {
  /** Does not go back, and stops while the machine is suspended. */
  monotonic(): number;
  /** Goes on while the machine is suspended, and may be changed. */
  wall(): number;
}

export const systemClock: Clock = { monotonic: () => performance.now(), wall: () => Date.now() };

/** A moment, by both clocks. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

export function momentOf(clock: Clock): Moment {
  return { monotonic: clock.monotonic(), wall: clock.wall() };
}

/**
 * The time for which this process may use what it has cached (Gray and Cheriton, "Leases", 1989). A process that changes
 * something waits until every process has confirmed the change or its lease has expired. So the lease counts from the moment at which
 * its renewal was sent, and it has expired as soon as either clock says so. It is checked at each use and never by a timer,
 * because a process that hangs would run its timers late.
 */
export class Lease {
  private untilMonotonic = -Infinity;
  private untilWall = -Infinity;

  constructor(
    readonly ms: number,
    private readonly clock: Clock,
  ) {}

  extend(sent: Moment): void {
    this.untilMonotonic = sent.monotonic + this.ms;
    this.untilWall = sent.wall + this.ms;
  }

  end(): void {
    this.untilMonotonic = -Infinity;
  }

  get isValid(): boolean {
    return this.clock.monotonic() < this.untilMonotonic && this.clock.wall() < this.untilWall;
  }
}
