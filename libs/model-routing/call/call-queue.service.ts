import { Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { type Config, InjectConfig } from '#config';
import { type Cancellation, ClientDisconnected } from '#egress';
import { Problem } from '#http';
import { Histogram } from '#usage';

type Limits = Pick<Config, 'maxCallsInFlight' | 'maxCallsPerTenant' | 'callWaitSeconds'>;

/** A call that waits for a place. */
interface Waiting {
  admit(): void;
}

/**
 * Limits how many calls this process runs at a time, in total and for each tenant, so that a tenant whose provider hangs does not
 * take the places of all others. Calls above a limit wait in a queue of their tenant. When a place is free, the tenants take turns.
 * Most calls need not wait, and cost two look-ups in a map.
 */
@Injectable()
export class CallQueueService {
  readonly #limits: Limits;
  /** How many calls of each tenant run; a tenant without any is not in it. */
  readonly #running = new Map<string, number>();
  #total = 0;
  /** The calls of each tenant that wait, the longest first. The next tenant to get a place is the first one with room. */
  readonly #queues = new Map<string, Set<Waiting>>();

  /** For Prometheus. */
  readonly registry = new Registry();
  readonly #waited = new Histogram({
    name: 'tenkey_call_wait_seconds',
    help: 'How long calls waited for a place, of those that had to wait. Calls that got none are included.',
    bounds: [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30],
    registry: this.registry,
  }).series();

  constructor(@InjectConfig() config: Limits) {
    this.#limits = config;
    this.#count('tenkey_calls_running', 'Calls that have a place.', () => this.#total);
    this.#count('tenkey_calls_waiting', 'Calls that wait for a place.', () =>
      [...this.#queues.values()].reduce((sum, { size }) => sum + size, 0),
    );
  }

  /**
   * Takes a place for a call, which `leave` gives back.
   * @returns undefined when there was one, else a promise that resolves when the call gets one
   * @throws Problem too_many_calls, overloaded. The promise rejects with them as well, and with ClientDisconnected
   */
  enter(tenantId: string, cancellation: Cancellation): Promise<void> | undefined {
    // A tenant whose calls wait is at its limit, or there is no place for anybody.
    if (!this.#hasPlaceFor(tenantId)) return this.#wait(tenantId, cancellation);
    this.#take(tenantId);
    return undefined;
  }

  leave(tenantId: string): void {
    const running = this.#runningOf(tenantId) - 1;
    if (running === 0) this.#running.delete(tenantId);
    else this.#running.set(tenantId, running);
    this.#total -= 1;
    if (this.#queues.size > 0) this.#admitNext();
  }

  #count(name: string, help: string, count: () => number): void {
    const registers = [this.registry];
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(count()) });
  }

  #hasPlaceFor(tenantId: string): boolean {
    const { maxCallsInFlight, maxCallsPerTenant } = this.#limits;
    return this.#total < maxCallsInFlight && this.#runningOf(tenantId) < maxCallsPerTenant;
  }

  #runningOf(tenantId: string): number {
    return this.#running.get(tenantId) ?? 0;
  }

  #take(tenantId: string): void {
    this.#running.set(tenantId, this.#runningOf(tenantId) + 1);
    this.#total += 1;
  }

  #admitNext(): void {
    for (const [tenantId, queue] of this.#queues) {
      if (!this.#hasPlaceFor(tenantId)) continue;
      const [next] = queue;
      next?.admit();
      // Behind the others, for its next turn.
      this.#queues.delete(tenantId);
      if (queue.size > 0) this.#queues.set(tenantId, queue);
      return;
    }
  }

  #wait(tenantId: string, cancellation: Cancellation): Promise<void> {
    const { callWaitSeconds, maxCallsPerTenant } = this.#limits;
    const queue = this.#queues.get(tenantId) ?? new Set<Waiting>();
    if (callWaitSeconds === 0 || queue.size >= maxCallsPerTenant) throw this.#refusalOf(tenantId);
    this.#queues.set(tenantId, queue);
    const since = performance.now();
    return new Promise((resolve, reject) => {
      const leaveQueue = () => {
        clearTimeout(timer);
        this.#waited.observe((performance.now() - since) / 1000);
        queue.delete(waiting);
        if (queue.size === 0 && this.#queues.get(tenantId) === queue) this.#queues.delete(tenantId);
      };
      const waiting: Waiting = {
        admit: () => {
          leaveQueue();
          this.#take(tenantId);
          resolve();
        },
      };
      const giveUp = (error: Error) => {
        if (!queue.has(waiting)) return;
        leaveQueue();
        reject(error);
      };
      const timer = setTimeout(() => giveUp(this.#refusalOf(tenantId)), callWaitSeconds * 1000);
      queue.add(waiting);
      cancellation.onCancel(() => giveUp(cancellation.cancelReason ?? new ClientDisconnected()));
    });
  }

  /** Says whose limit is reached: the tenant can only change its own. */
  #refusalOf(tenantId: string): Problem {
    const { maxCallsPerTenant, callWaitSeconds } = this.#limits;
    const seconds = String(Math.max(1, callWaitSeconds));
    const headers = { 'retry-after': seconds };
    if (this.#runningOf(tenantId) >= maxCallsPerTenant) {
      return new Problem('too_many_calls', {
        detail: `This tenant may run ${maxCallsPerTenant} calls at the same time, and that many are running.`,
        hint: `Try again in ${seconds} s. An operator can raise MAX_CALLS_PER_TENANT.`,
        headers,
      });
    }
    return new Problem('overloaded', {
      detail: 'As many calls are running as Tenkey may run at the same time.',
      hint: `Try again in ${seconds} s. An operator can raise MAX_CALLS_IN_FLIGHT or start more processes.`,
      headers,
    });
  }
}
