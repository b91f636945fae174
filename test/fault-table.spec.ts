import { FaultRow } from './faults/fault-rows';

interface Reporter {
  onRunStart(): void;
  onRunComplete(): void;
  getLastError(): Error | undefined;
}
const FaultTable = jest.requireActual<new () => Reporter>('./faults/fault-table.cjs');

describe('the table of the fault tests', () => {
  /** @returns what a run prints whose tests report these rows, and why it fails */
  function runOf(...counts: readonly Partial<FaultRow>[]): { printed: string; failure: string | undefined } {
    const table = new FaultTable();
    table.onRunStart();
    for (const [index, count] of counts.entries())
      Object.assign(new FaultRow(`fault ${index}`), count).report();
    let printed = '';
    const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    table.onRunComplete();
    write.mockRestore();
    return { printed, failure: table.getLastError()?.message };
  }

  it('has a row for each fault, and a run passes in which all occurred and did no harm', () => {
    const { printed, failure } = runOf({ reached: 12 }, { reached: 3 });
    expect(
      printed
        .trim()
        .split('\n')
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ['fault', 'reached', 'lost', 'wrong', 'slowest'],
      ['fault 0', '12', '0', '0', '0 ms'],
      ['fault 1', '3', '0', '0', '0 ms'],
    ]);
    expect(failure).toBeUndefined();
  });

  it.each<[string, Partial<FaultRow>, string]>([
    ['did not occur', { reached: 0 }, 'the fault never occurred: fault 1'],
    ['lost something', { reached: 2, lost: 1 }, '1 lost and 0 wrong: fault 1'],
    ['did something wrong', { reached: 2, wrong: 3 }, '0 lost and 3 wrong: fault 1'],
  ])('lets a run fail in which a fault %s', (_, count, failure) => {
    const run = runOf({ reached: 1 }, count);
    expect(run.failure).toBe(failure);
    expect(run.printed).toContain(failure);
  });

  it('shows the time of the slowest answer', async () => {
    const row = new FaultRow('a slow one');
    await row.timed(new Promise((done) => setTimeout(done, 120)));
    await row.timed(Promise.resolve());
    expect(row.slowestMs).toBeGreaterThan(100);
    expect(row.slowestMs).toBeLessThan(5000);
  });
});
