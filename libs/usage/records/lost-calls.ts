import { type UsageRecord } from '../usage-record.entity';

/** Calls whose records could not be kept. */
export interface LostCalls {
  /** UTC, as 2026-01-31. */
  readonly day: string;
  readonly tenantId: string;
  readonly calls: number;
}

/** Lost calls that are written at once. */
export interface LostBatch {
  /** Of the process that counted them; its batches are numbered from 1 and written in their order. */
  readonly process: string;
  readonly number: number;
  readonly lost: readonly LostCalls[];
}

/** Lost calls, summed by day and tenant. */
export class LostCallSums {
  readonly #sums = new Map<string, LostCalls>();

  /** @param maximum days and tenants that are told apart; of more there are no sums */
  constructor(private readonly maximum: number) {}

  get isEmpty(): boolean {
    return this.#sums.size === 0;
  }

  add({ day, tenantId, calls }: LostCalls): void {
    const name = `${day} ${tenantId}`;
    const known = this.#sums.get(name);
    if (known === undefined && this.#sums.size >= this.maximum) return;
    this.#sums.set(name, { day, tenantId, calls: calls + (known?.calls ?? 0) });
  }

  addRecords(records: readonly UsageRecord[]): this {
    for (const { at, tenantId } of records) {
      this.add({ day: at.toISOString().slice(0, 10), tenantId, calls: 1 });
    }
    return this;
  }

  /** @returns the sums, which begin anew */
  take(): LostCalls[] {
    const sums = [...this.#sums.values()];
    this.#sums.clear();
    return sums;
  }
}
