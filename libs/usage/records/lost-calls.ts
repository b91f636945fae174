import { type UsageRecord } from '../usage-record.entity';

/** A number of calls whose records could not be kept. */
export interface LostCalls {
  /** In UTC, such as 2026-01-31. */
  readonly day: string;
  readonly tenantId: string;
  readonly calls: number;
}

/** Lost calls that are written in one statement. */
export interface LostBatch {
  /** Id of the process that counted them. Its batches are numbered from 1 and written in that order. */
  readonly process: string;
  readonly number: number;
  readonly lost: readonly LostCalls[];
}

/** Lost calls, summed by day and tenant. */
export class LostCallSums {
  readonly #sums = new Map<string, LostCalls>();

  /** @param maximum number of sums; lost calls of further days and tenants are not summed */
  constructor(private readonly maximum: number) {}

  get isEmpty(): boolean {
    return this.#sums.size === 0;
  }

  add({ day, tenantId, calls }: LostCalls): void {
    const key = `${day} ${tenantId}`;
    const previous = this.#sums.get(key);
    if (previous === undefined && this.#sums.size >= this.maximum) return;
    this.#sums.set(key, { day, tenantId, calls: calls + (previous?.calls ?? 0) });
  }

  addRecords(records: readonly UsageRecord[]): this {
    for (const { at, tenantId } of records) {
      this.add({ day: at.toISOString().slice(0, 10), tenantId, calls: 1 });
    }
    return this;
  }

  /** @returns the sums, which are then empty again */
  take(): LostCalls[] {
    const sums = [...this.#sums.values()];
    this.#sums.clear();
    return sums;
  }
}
