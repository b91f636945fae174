import { appendFileSync } from 'node:fs';

/**
 * What a fault did, as one row of the table at the end of `npm run test:faults` (fault-table.cjs). Everything is counted by the
 * test that injects the fault.
 */
export class FaultRow {
  /** How often the fault occurred. */
  reached = 0;
  /** Changes or calls that were answered, and of which nothing is left. */
  lost = 0;
  /** Answers and states that must not be, and requests without an end. */
  wrong = 0;
  #slowestMs = 0;

  constructor(private readonly fault: string) {}

  /** Waits for what must end while the fault lasts, or in spite of it. */
  async timed<T>(work: PromiseLike<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work;
    } finally {
      this.took(performance.now() - started);
    }
  }

  took(ms: number): void {
    this.#slowestMs = Math.max(this.#slowestMs, Math.round(ms));
  }

  get slowestMs(): number {
    return this.#slowestMs;
  }

  /** Called before the test checks the same counts. */
  report(): void {
    const { fault, reached, lost, wrong, slowestMs } = this;
    const file = process.env.TENKEY_FAULT_ROWS;
    if (file === undefined)
      throw new Error('TENKEY_FAULT_ROWS is not set: fault-table.cjs is no reporter of this run.');
    appendFileSync(file, `${JSON.stringify({ fault, reached, lost, wrong, slowestMs })}\n`);
  }
}

/** What was observed of one tenant, which is not changed any more. */
interface History {
  readonly violations: readonly string[];
  readonly slowestMs: number;
  isKept(): Promise<boolean>;
}

/**
 * Reports what a fault did to tenants.
 * @param wrong what must not happen, in addition to what the histories found
 */
export async function reportFault(
  fault: string,
  reached: number,
  histories: readonly History[],
  wrong = 0,
): Promise<FaultRow> {
  const row = new FaultRow(fault);
  Object.assign(row, { reached, wrong });
  for (const history of histories) {
    row.wrong += history.violations.length;
    row.took(history.slowestMs);
    if (!(await history.isKept())) row.lost += 1;
  }
  row.report();
  return row;
}
