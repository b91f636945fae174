import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Counter, Registry } from 'prom-client';
import { Problem } from '#http';
import { type Destination } from './route';

/** While a circuit is open, one call after each such time finds out whether the host responds again. */
const PAUSE_MS = 5000;
/** After so much time without a call, what came before says nothing about the host any more. */
const FORGET_MS = 60_000;
const MAXIMUM_CIRCUITS = 10_000;

/** A connection that could not be opened, or had no response. */
interface Failure {
  /** When the attempt began, by `performance.now()`, as the other times here. */
  readonly startedAt: number;
  /** True when the host was silent until a timeout. */
  readonly isTimeout: boolean;
  /** For the caller. */
  readonly reason: string;
}

interface Circuit {
  failures: number;
  /** When the last failure was counted. */
  failedAt: number;
  openedAt: number | undefined;
  /** Until then, no call is sent. */
  closedUntilMs: number;
  /** What happened last, for the caller. */
  reason: string;
}

/**
 * Circuit breakers, one for each tenant, provider and host. After several failures of the connection in a row, further calls are
 * refused at once, so that they hold no memory and no connection until a timeout. One call every five seconds is sent nevertheless,
 * and any response closes the circuit, whatever its status. No tenant's failures concern another one, and a refused call goes nowhere else.
 *
 * A host that dies breaks all its connections at once. That is one event, so an attempt that began before the last failure was counted
 * does not count, unless the host was silent for the whole timeout. The count begins again with an attempt that began more than a minute
 * after the last failure, and a circuit is forgotten after a minute without a call.
 */
export class Circuits {
  readonly registry = new Registry();
  readonly #log = new Logger('egress');
  /** Only those with failures, so that most calls find an empty map. */
  readonly #circuits = new LRUCache<string, Circuit>({ max: MAXIMUM_CIRCUITS });
  readonly #opened = new Counter({
    name: 'tenkey_circuits_opened_total',
    help: 'How often the calls of a tenant to a host were paused, because the host had not responded several times in a row.',
    labelNames: ['provider'],
    registers: [this.registry],
  });
  readonly #refused = new Counter({
    name: 'tenkey_circuit_refusals_total',
    help: 'Calls that were refused because the calls of their tenant to that host are paused.',
    labelNames: ['provider'],
    registers: [this.registry],
  });

  /** @param failures so many in a row, without any response in between, open a circuit; 0: none */
  constructor(private readonly failures: number) {}

  /** Decides whether a call may be sent. @throws Problem circuit_open */
  check(to: Destination): void {
    if (this.#circuits.size === 0) return;
    const name = nameOf(to);
    const circuit = this.#circuits.get(name);
    if (circuit?.openedAt === undefined) return;
    const now = performance.now();
    const waitMs = circuit.closedUntilMs - now;
    if (waitMs < -FORGET_MS) return void this.#circuits.delete(name);
    if (waitMs > 0) {
      this.#refused.inc({ provider: to.provider.id });
      throw circuitOpen(circuit, waitMs);
    }
    // This call finds out. The next one does not wait for its result, which a timeout may delay for minutes.
    circuit.closedUntilMs = now + PAUSE_MS;
  }

  /** True when calls are paused. */
  isOpen(to: Destination): boolean {
    return this.#circuits.size > 0 && this.#circuits.get(nameOf(to))?.openedAt !== undefined;
  }

  /** The host responded, with whatever status. */
  responded(to: Destination): void {
    if (this.#circuits.size === 0) return;
    const name = nameOf(to);
    const openedAt = this.#circuits.get(name)?.openedAt;
    this.#circuits.delete(name);
    if (openedAt === undefined) return;
    const seconds = Math.round((performance.now() - openedAt) / 1000);
    this.#log.log(`${describe(to)} responds again after ${seconds} s`);
  }

  failed(to: Destination, { startedAt, isTimeout, reason }: Failure): void {
    if (this.failures === 0) return;
    const name = nameOf(to);
    const now = performance.now();
    let circuit = this.#circuits.get(name);
    if (circuit !== undefined && startedAt < circuit.failedAt && !isTimeout) return;
    if (
      circuit === undefined ||
      (circuit.openedAt === undefined && startedAt - circuit.failedAt > FORGET_MS)
    ) {
      circuit = { failures: 0, failedAt: now, openedAt: undefined, closedUntilMs: 0, reason };
      this.#circuits.set(name, circuit);
    }
    circuit.failures += 1;
    circuit.failedAt = now;
    circuit.reason = reason;
    if (circuit.failures < this.failures || circuit.openedAt !== undefined) return;
    circuit.openedAt = now;
    circuit.closedUntilMs = now + PAUSE_MS;
    this.#opened.inc({ provider: to.provider.id });
    this.#log.warn(
      `${describe(to)} failed ${this.failures} times in a row. ${reason} Calls are refused until it responds, or none has come for a minute`,
    );
  }
}

function nameOf({ tenantId, provider, host }: Destination): string {
  return `${tenantId} ${provider.id} ${host}`;
}

function describe({ tenantId, provider, host }: Destination): string {
  return `${provider.id} at ${host} for tenant ${tenantId}`;
}

function circuitOpen({ failures, reason }: Circuit, waitMs: number): Problem {
  const seconds = String(Math.ceil(waitMs / 1000));
  return new Problem('circuit_open', {
    detail: `${reason} This was so ${failures} times in a row, so this call was not sent.`,
    hint: `Try again in ${seconds} s.`,
    headers: { 'retry-after': seconds },
  });
}
