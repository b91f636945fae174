import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';
import { usageOutcomes, type UsageRecord } from '../usage-record.entity';
import { durationBounds } from './durations';
import { Histogram, type HistogramSeries } from './histogram';

/** Durations of a call in seconds. */
const callBounds = durationBounds.map((ms) => ms / 1000);
/** Seconds that Tenkey itself needs, from a cached credential to one that is read from a slow database. */
const ownBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** The statuses that providers use. A tenant's own endpoint could send any number. */
const usualStatuses = new Set([
  200, 201, 202, 204, 400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 424, 429, 451, 498, 499, 500,
  501, 502, 503, 504, 529,
]);

const tokenKinds = ['input', 'output', 'cached', 'cache_write'] as const;

/** What was counted of the calls of one operation at one provider. */
interface OperationTotals {
  readonly duration: HistogramSeries;
  readonly firstByte: HistogramSeries;
  /** By source, then by outcome. */
  readonly calls: Map<string, Map<string, number>>;
}

/** What was counted of the calls to one provider. */
interface ProviderTotals {
  readonly operations: Map<string, OperationTotals>;
  /** In the order of `tokenKinds`. */
  readonly tokens: number[];
  readonly statuses: Map<string, number>;
  retries: number;
}

/**
 * Counts of this process for Prometheus. No label names a tenant or a key, because there may be many thousands. A call is counted
 * in plain numbers, which become metrics when somebody asks for them.
 */
@Injectable()
export class UsageMetricsService {
  readonly registry = new Registry();
  readonly #providers = new Map<string, ProviderTotals>();
  #inFlight = (): number => 0;

  readonly #duration = new Histogram({
    name: 'tenkey_call_duration_seconds',
    help: 'Time from the start of a call to the end of its response.',
    bounds: callBounds,
    registry: this.registry,
  });
  readonly #firstByte = new Histogram({
    name: 'tenkey_call_first_byte_seconds',
    help: "Time from the start of a call to the first byte of the provider's response.",
    bounds: [0.01, 0.025, ...callBounds],
    registry: this.registry,
  });
  readonly #overhead = new Histogram({
    name: 'tenkey_call_overhead_seconds',
    help: 'What Tenkey itself adds to a call: time from the complete request to its sending, without the waits for a place and for a retry.',
    bounds: ownBounds,
    registry: this.registry,
  }).series();
  readonly #lost = new Counter({
    name: 'tenkey_usage_records_lost_total',
    help: 'Calls whose usage record is lost, because the database was unavailable for too long or refused it.',
    registers: [this.registry],
  });
  readonly #masked = new Counter({
    name: 'tenkey_key_bytes_masked_total',
    help: 'Bytes of responses that repeated the key of the call, and were overwritten.',
    registers: [this.registry],
  });
  readonly #waiting = new Gauge({
    name: 'tenkey_usage_records_waiting',
    help: 'Usage records that wait for the database.',
    registers: [this.registry],
  });

  constructor() {
    const inFlight = () => this.#inFlight();
    new Gauge({
      name: 'tenkey_calls_in_flight',
      help: 'Calls that have not ended.',
      registers: [this.registry],
      collect() {
        this.set(inFlight());
      },
    });
    this.#total(
      'tenkey_calls_total',
      `Calls for which a route to a provider was decided, by outcome: ${usageOutcomes.join(', ')}.`,
      ['provider', 'operation', 'source', 'outcome'],
      (provider, { operations }, add) => {
        for (const [operation, { calls }] of operations) {
          for (const [source, outcomes] of calls) {
            for (const [outcome, count] of outcomes) add({ provider, operation, source, outcome }, count);
          }
        }
      },
    );
    this.#total(
      'tenkey_tokens_total',
      'Tokens that the providers reported; `cached` and `cache_write` are parts of `input`.',
      ['provider', 'kind'],
      (provider, { tokens }, add) => tokenKinds.forEach((kind, at) => add({ provider, kind }, tokens[at]!)),
    );
    this.#total(
      'tenkey_upstream_responses_total',
      "Calls that were sent, by the status of the provider's last response. none: there was no response; other: an unusual status.",
      ['provider', 'status'],
      (provider, { statuses }, add) => {
        for (const [status, count] of statuses) add({ provider, status }, count);
      },
    );
    this.#total(
      'tenkey_upstream_retries_total',
      'How often a call was sent again.',
      ['provider'],
      (provider, { retries }, add) => add({ provider }, retries),
    );
  }

  /**
   * Counts a call that has ended.
   * @param overheadMs how long it took to send it; undefined: it was not sent
   */
  observe(record: UsageRecord, overheadMs: number | undefined): void {
    const provider = this.#providerOf(record.provider);
    const { tokens, statuses } = provider;
    tokens[0]! += record.inputTokens ?? 0;
    tokens[1]! += record.outputTokens ?? 0;
    tokens[2]! += record.cachedTokens ?? 0;
    tokens[3]! += record.cacheWriteTokens ?? 0;
    if (record.attempts > 0) {
      provider.retries += record.attempts - 1;
      addTo(statuses, statusLabel(record.upstreamStatus));
    }
    const operation = this.#operationOf(provider, record);
    operation.duration.observe(record.totalMs / 1000);
    if (record.firstByteMs !== null) operation.firstByte.observe(record.firstByteMs / 1000);
    if (overheadMs !== undefined) this.#overhead.observe(overheadMs / 1000);
    let outcomes = operation.calls.get(record.source);
    if (outcomes === undefined) {
      outcomes = new Map<string, number>();
      operation.calls.set(record.source, outcomes);
    }
    addTo(outcomes, record.outcome);
  }

  /** @param inFlight how many calls have not ended */
  countInFlight(inFlight: () => number): void {
    this.#inFlight = inFlight;
  }

  setWaiting(count: number): void {
    this.#waiting.set(count);
  }

  addLost(count: number): void {
    this.#lost.inc(count);
  }

  addMasked(bytes: number): void {
    this.#masked.inc(bytes);
  }

  #providerOf(id: string): ProviderTotals {
    let totals = this.#providers.get(id);
    if (totals === undefined) {
      totals = { operations: new Map(), tokens: [0, 0, 0, 0], statuses: new Map(), retries: 0 };
      this.#providers.set(id, totals);
    }
    return totals;
  }

  #operationOf({ operations }: ProviderTotals, { provider, operation }: UsageRecord): OperationTotals {
    let totals = operations.get(operation);
    if (totals === undefined) {
      const labels = { provider, operation };
      const duration = this.#duration.series(labels);
      totals = { duration, firstByte: this.#firstByte.series(labels), calls: new Map() };
      operations.set(operation, totals);
    }
    return totals;
  }

  /** A counter whose values are read from the totals of each provider. */
  #total<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: (
      provider: string,
      totals: ProviderTotals,
      add: (labels: Record<Label, string>, count: number) => void,
    ) => void,
  ): void {
    const providers = this.#providers;
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [id, totals] of providers) read(id, totals, (labels, count) => this.inc(labels, count));
      },
    });
  }
}

function addTo(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function statusLabel(status: number | null): string {
  if (status === null) return 'none';
  return usualStatuses.has(status) ? String(status) : 'other';
}
