import { RegisteredProcesses } from './registered-processes';

describe('what a process knows of the others', () => {
  it('says at once when it is no longer alone, and that it is alone a minute after the last other one', () => {
    const clock = { now: 1000 };
    const processes = new RegisteredProcesses(() => clock.now);
    let told = 0;
    processes.onCompany(() => (told += 1));
    processes.observe(1);
    expect([processes.isAlone, processes.count, processes.aloneSince, told]).toEqual([true, 1, -Infinity, 0]);
    processes.observe(3);
    processes.observe(2);
    expect([processes.isAlone, processes.count, told]).toEqual([false, 2, 1]);
    for (const afterMs of [1000, 60_000, 61_000]) {
      clock.now = 1000 + afterMs;
      processes.observe(1);
      expect([processes.isAlone, processes.count]).toEqual([false, 1]);
    }
    clock.now = 64_000;
    processes.observe(1);
    expect([processes.isAlone, processes.aloneSince]).toEqual([true, 64_000]);
    processes.observe(2);
    expect(told).toBe(2);
  });
});
