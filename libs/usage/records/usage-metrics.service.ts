import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { usageOutcomes, type UsageRecord } from '../usage-record.entity';

/** Durations of a call in seconds, from a quick error to a long response. */
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];

/** So many records wait at most to be counted. */
const MAXIMUM_UNCOUNTED = 500;

/** Counts of this process for Prometheus. No label names a tenant or a key, because there may be many thousands. */
@Injectable()
export class UsageMetricsService {
  readonly #registry = new Registry();
  readonly #uncounted: UsageRecord[] = [];
  readonly #calls = new Counter({
    name: 'tenkey_calls_total',
    help: `Calls for which a route to a provider was decided, by outcome: ${usageOutcomes.join(', ')}.`,
    labelNames: ['provider', 'operation', 'source', 'outcome'],
    registers: [this.#registry],
  });
  readonly #tokens = new Counter({
    name: 'tenkey_tokens_total',
    help: 'Tokens that the providers reported; `cached` and `cache_write` are parts of `input`.',
    labelNames: ['provider', 'kind'],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: 'tenkey_call_duration_seconds',
    help: 'Time from the start of a call to the end of its response.',
    labelNames: ['provider', 'operation'],
    buckets,
    registers: [this.#registry],
  });
  readonly #waiting = new Gauge({
    name: 'tenkey_usage_records_waiting',
    help: 'Usage records that wait for the database.',
    registers: [this.#registry],
  });
  readonly #lost = new Counter({
    name: 'tenkey_usage_records_lost_total',
    help: 'Calls whose usage record is lost, because the database was unavailable for too long or refused it.',
    registers: [this.#registry],
  });

  readonly #masked = new Counter({
    name: 'tenkey_key_bytes_masked_total',
    help: 'Bytes of responses that repeated the key of the call, and were overwritten.',
    registers: [this.#registry],
  });

  /** With every record that was observed. */
  get registry(): Registry {
    this.#count();
    return this.#registry;
  }

  /** Keeps the record until it is counted with others, which is much faster. */
  observe(record: UsageRecord): void {
    this.#uncounted.push(record);
    if (this.#uncounted.length >= MAXIMUM_UNCOUNTED) this.#count();
  }

  #count(): void {
    for (const record of this.#uncounted) {
      const { provider, operation, source, outcome } = record;
      this.#calls.inc({ provider, operation, source, outcome });
      this.#seconds.observe({ provider, operation }, record.totalMs / 1000);
      this.#tokens.inc({ provider, kind: 'input' }, record.inputTokens ?? 0);
      this.#tokens.inc({ provider, kind: 'output' }, record.outputTokens ?? 0);
      this.#tokens.inc({ provider, kind: 'cached' }, record.cachedTokens ?? 0);
      this.#tokens.inc({ provider, kind: 'cache_write' }, record.cacheWriteTokens ?? 0);
    }
    this.#uncounted.length = 0;
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
}
