import fc from 'fast-check';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { ModelWindow } from '../../../test/support/model-window';
import { type AskWindows } from './common-windows';
import { LimitExchange } from './limit-exchange';
import { type Outcome, SharedLimits } from './shared-limits';

const key = { tenantId: 'tenant', tenantKeyId: 'a' };
const MINUTE_MS = 60_000;
/** The clock of the database is another one. */
const DATABASE_MS = 1_764_000_000_250;

/** Processes on one database, whose clock, responses and outages the test controls. All have the same key. */
class Cluster {
  now = 5_000_000;
  isAway = false;
  /** The next reply is lost, although what was asked is executed. */
  losesReply = false;
  questions = 0;
  readonly window = new ModelWindow();
  /** What was admitted, as far as it is known: an estimate, until it is settled. */
  readonly used: { readonly at: number; amount: number; readonly process: number }[] = [];
  readonly #replies: (() => void)[] = [];
  readonly #processes: {
    isAlone: boolean;
    aloneSince: number;
    count: number;
    isKilled: boolean;
    limits: SharedLimits;
    exchange: LimitExchange;
  }[] = [];

  constructor(
    count: number,
    private readonly limit: number,
  ) {
    for (let each = 0; each < count; each += 1) this.add();
  }

  get running() {
    return this.#processes.filter(({ isKilled }) => !isKilled);
  }

  /** A process starts, and every process learns of it. */
  add(): void {
    const state = { isAlone: true, aloneSince: -Infinity, count: 1, isKilled: false };
    const options = {
      ask: ((requests) => this.#ask(requests, state)) as AskWindows,
      processes: state,
      timeoutMs: 100_000,
      now: () => this.now,
      databaseNow: () => this.now + DATABASE_MS,
    };
    const exchange = new LimitExchange(options);
    const process = Object.assign(state, { exchange, limits: new SharedLimits('tokens', options, exchange) });
    this.#processes.push(process);
    this.#count();
  }

  kill(index: number): void {
    if (this.running.length === 1) return;
    this.running[index % this.running.length]!.isKilled = true;
    this.#count();
  }

  /** @returns how to settle the amount; undefined: it is refused, or was not decided because the process was killed */
  async take(index: number, amount = 1): Promise<((actual: number) => void) | undefined> {
    const process = this.running[index % this.running.length]!;
    const takenAt = this.now;
    const outcome: Outcome = await process.limits.take(key, this.limit, amount);
    if (outcome.refusal !== undefined || process.isKilled) return undefined;
    const entry = { at: this.now, amount, process: this.#processes.indexOf(process) };
    this.used.push(entry);
    return (actual) => {
      if (process.isKilled) return;
      if (this.now - entry.at <= MINUTE_MS) entry.amount = actual;
      process.limits.correct(key, actual - amount, takenAt, outcome);
    };
  }

  /** The database executes what has reached it, and its replies arrive, until nobody asks any more. */
  async reply(): Promise<void> {
    do {
      for (const reply of this.#replies.splice(0)) reply();
      await nextTurn();
    } while (this.#replies.length > 0);
  }

  /** What was used in the last 60 seconds. */
  usedLately(process?: number): number {
    const lately = this.used.filter(({ at }) => this.now - at <= MINUTE_MS);
    const counted = lately.filter((entry) => process === undefined || entry.process === process);
    return counted.reduce((sum, { amount }) => sum + amount, 0);
  }

  /** The reports of corrections, which a timer makes otherwise. */
  async report(): Promise<void> {
    const reports = this.running.map(({ exchange }) => exchange.flush());
    await nextTurn();
    await this.reply();
    await Promise.all(reports);
  }

  #count(): void {
    const count = this.running.length;
    for (const process of this.running) {
      process.count = count;
      if (count === 1 || !process.isAlone) continue;
      process.isAlone = false;
      process.limits.publish();
    }
  }

  #ask(requests: Parameters<AskWindows>[0], asking: { isKilled: boolean }): ReturnType<AskWindows> {
    if (this.isAway) return Promise.reject(new Error('the database is away'));
    this.questions += 1;
    return new Promise((resolve, reject) => {
      this.#replies.push(() => {
        // What a killed process has asked for may still be executed.
        const second = Math.floor((this.now + DATABASE_MS) / 1000);
        const replies = requests.map((request) => this.window.ask(second, request));
        if (this.losesReply) reject(new Error('the connection is lost'));
        else if (!asking.isKilled) resolve(replies);
        this.losesReply = false;
      });
    });
  }
}

const steps = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.constant(0), fc.nat(300), fc.nat(9000), fc.constantFrom(30_000, 61_000)),
    process: fc.nat(3),
    amount: fc.oneof(fc.constant(1), fc.nat(20), fc.nat(100)),
    /** As a part of the amount. */
    used: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    settledAfterMs: fc.nat(80_000),
    isReplied: fc.boolean(),
    change: fc.nat(40).map((each) => (['killed', 'added'] as const)[each]),
    calls: fc.oneof(fc.constant(1), fc.nat(30), fc.constant(300)),
  }),
  { minLength: 1, maxLength: 80 },
);

describe('a limit over several processes', () => {
  it('is exceeded by at most a tenth in any 60 seconds, whatever is used and settled, and whoever comes and goes, when', async () => {
    const limits = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 1000 }));
    await fc.assert(
      fc.asyncProperty(steps, limits, fc.integer({ min: 1, max: 3 }), async (script, limit, count) => {
        const cluster = new Cluster(count, limit);
        const open: { at: number; settle: () => void }[] = [];
        const calls: Promise<unknown>[] = [];
        for (const { waitMs, process, amount, used, settledAfterMs, isReplied, change, calls: n } of script) {
          const next = cluster.now + waitMs;
          for (const each of open.sort((a, b) => a.at - b.at)) {
            if (each.at > next) break;
            cluster.now = Math.max(cluster.now, each.at);
            each.settle();
          }
          open.splice(0, open.length, ...open.filter(({ at }) => at > next));
          cluster.now = next;
          if (change === 'killed') cluster.kill(process);
          if (change === 'added' && cluster.running.length < 4) {
            cluster.add();
            await cluster.report();
          }
          for (let each = 0; each < n; each += 1) {
            const estimate = Math.min(amount, limit);
            const call = cluster.take(process, estimate).then((settle) => {
              if (settle === undefined) return;
              expect(cluster.usedLately()).toBeLessThanOrEqual(limit * 1.1);
              const actual = used === undefined ? estimate : Math.floor(estimate * used);
              open.push({ at: cluster.now + settledAfterMs, settle: () => settle(actual) });
            });
            calls.push(call);
          }
          if (isReplied) await cluster.report();
          // Calls that found a share have ended. The others wait for a reply, or their process was killed.
          await Promise.race([Promise.all(calls), nextTurn()]);
        }
        await cluster.report();
        await Promise.race([Promise.all(calls), nextTurn()]);
      }),
      { numRuns: 150 },
    );
  });

  it('is exceeded by no more than a tenth when everybody uses at once what was held for long', async () => {
    for (const count of [2, 3, 4]) {
      const cluster = new Cluster(count, 600);
      const useUp = async (process: number, calls: number) => {
        for (let call = 0; call < calls; call += 1) {
          const taking = cluster.take(process);
          await cluster.reply();
          await taking;
        }
      };
      for (let process = 0; process < count; process += 1) await useUp(process, 1);
      // A share that was held becomes smaller when more processes hold one.
      cluster.add();
      await useUp(count, 1);
      cluster.now += 61_000;
      for (let process = 0; process <= count; process += 1) await useUp(process, 700);
      expect(cluster.usedLately()).toBeGreaterThanOrEqual(600);
      expect(cluster.usedLately()).toBeLessThanOrEqual(660);
    }
  });

  it('is not exceeded by what is given back late, which counts in the second in which it was granted', async () => {
    const cluster = new Cluster(2, 100);
    const take = async (process: number, amount: number) => {
      const taking = cluster.take(process, amount);
      await cluster.reply();
      return taking;
    };
    const early = await take(0, 45);
    cluster.now += 55_000;
    expect(await take(1, 45)).toBeDefined();
    early!(0);
    await cluster.report();
    cluster.now += 7000;
    expect(await take(0, 90)).toBeUndefined();
    expect(await take(0, 45)).toBeDefined();
  });

  it('gives nothing back twice when a reply is lost', async () => {
    const cluster = new Cluster(2, 100);
    const taking = [cluster.take(0, 50), cluster.take(1, 30)];
    await cluster.reply();
    const [settle] = await Promise.all(taking);
    const total = () => cluster.window.total(Math.floor((cluster.now + DATABASE_MS) / 1000));
    const before = total();
    settle!(20);
    cluster.losesReply = true;
    await cluster.report();
    expect(total()).toBe(before - 30);
    await cluster.report();
    cluster.now += 2000;
    const probe = cluster.take(0, 1);
    await cluster.report();
    await probe;
    expect(total()).toBeGreaterThanOrEqual(before - 30);
  });

  it('can be used by one process alone to nine tenths, whatever the others hold, and again a minute later', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 30, max: 2000 }),
        fc.integer({ min: 2, max: 5 }),
        async (limit, count) => {
          const cluster = new Cluster(count, limit);
          const take = async (process: number) => {
            const taking = cluster.take(process);
            await cluster.reply();
            return (await taking) !== undefined;
          };
          // Each holds what it does not need.
          for (let process = 1; process < count; process += 1) expect(await take(process)).toBe(true);
          for (let minute = 0; minute < 3; minute += 1) {
            let admitted = 0;
            while (await take(0)) admitted += 1;
            expect(admitted).toBeGreaterThanOrEqual(Math.floor(limit * 0.9) - count);
            cluster.now += 61_000;
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  it('is counted without a wait while a share lasts, which is replenished before it has ended', async () => {
    const cluster = new Cluster(3, 600);
    const first = cluster.take(0);
    await cluster.reply();
    await first;
    const { questions } = cluster;
    const { limits } = cluster.running[0]!;
    for (let call = 0; call < 500; call += 1) {
      expect(limits.take(key, 600)).not.toBeInstanceOf(Promise);
      await cluster.reply();
    }
    // A chunk is 20, and half of it is asked for at a time.
    expect(cluster.questions - questions).toBeLessThanOrEqual(50);
  });

  it('is asked for again at once by a call that follows the reply', async () => {
    const options = {
      ask: (() =>
        Promise.resolve([{ available: 6, granted: 1, second: 1, amounts: null }])) satisfies AskWindows,
      processes: { isAlone: false, aloneSince: -Infinity, count: 3 },
      timeoutMs: 100_000,
      now: () => MINUTE_MS,
      databaseNow: () => DATABASE_MS,
    };
    const limits = new SharedLimits('tokens', options, new LimitExchange(options));
    let counted = 0;
    const calls = async () => {
      for (; counted < 6; counted += 1) await limits.take(key, 6);
    };
    await Promise.race([calls(), nextTurn()]);
    expect(counted).toBe(6);
  });

  it('asks for each call when it is below ten for each process, and never grants one too many', async () => {
    const cluster = new Cluster(3, 6);
    const calls = Array.from({ length: 30 }, (_, index) => cluster.take(index));
    await cluster.reply();
    const admitted = (await Promise.all(calls)).filter((settle) => settle !== undefined);
    expect(admitted).toHaveLength(6);
  });

  it('does not ask again for each refused call, and says when the next one fits', async () => {
    const cluster = new Cluster(2, 100);
    const { limits } = cluster.running[0]!;
    const all = cluster.take(1, 100);
    await cluster.reply();
    expect(await all).toBeDefined();
    cluster.now += 20_000;
    const refused = limits.take(key, 100, 40) as Promise<Outcome>;
    await cluster.reply();
    expect((await refused).refusal).toEqual({ seconds: 41, used: 100, limit: 100 });
    const { questions } = cluster;
    for (let call = 0; call < 1000; call += 1) {
      expect(limits.take(key, 100, 40)).toEqual({ refusal: { seconds: 41, used: 100, limit: 100 } });
    }
    await cluster.reply();
    expect(cluster.questions).toBe(questions);
    cluster.now += 41_000;
    const again = cluster.take(0, 40);
    await cluster.reply();
    expect(await again).toBeDefined();
  });

  it('does not refuse a call because of one that waits and is refused itself', async () => {
    const cluster = new Cluster(2, 1000);
    const others = cluster.take(1, 500);
    await cluster.reply();
    await others;
    const calls = [cluster.take(0, 600), cluster.take(0, 450), cluster.take(0, 600)];
    await cluster.reply();
    const settled = await Promise.all(calls);
    expect(settled.map((settle) => settle !== undefined)).toEqual([false, true, false]);
    cluster.now += 1000;
    // What was refused is not counted, and what was admitted is.
    const { limits } = cluster.running[0]!;
    limits.correct(key, 540, cluster.now);
    expect(limits.take(key, 1000, 20)).toEqual({ refusal: { seconds: 60, used: 990, limit: 1000 } });
  });

  it('does not refuse a call because of one that waits when no reply comes', async () => {
    const cluster = new Cluster(2, 1000);
    const calls = [cluster.take(0, 300), cluster.take(0, 600)];
    cluster.losesReply = true;
    await cluster.reply();
    const settled = await Promise.all(calls);
    expect(settled.map((settle) => settle !== undefined)).toEqual([true, false]);
  });

  it('gives what a call did not use to the other processes, and counts there what it used above its estimate', async () => {
    const cluster = new Cluster(2, 100);
    const settleBy = async (process: number, amount: number) => {
      const taking = cluster.take(process, amount);
      await cluster.reply();
      return taking;
    };
    const first = await settleBy(0, 90);
    expect(await settleBy(1, 50)).toBeUndefined();
    first!(20);
    await cluster.report();
    cluster.now += 1000;
    const second = await settleBy(1, 70);
    expect(second).toBeDefined();
    second!(90);
    await cluster.report();
    cluster.now += 1000;
    // More than the share that it holds.
    expect(await settleBy(0, 10)).toBeUndefined();
    cluster.running[0]!.limits.correct(key, 40, cluster.now);
    await cluster.report();
    const total = cluster.window.total(Math.floor((cluster.now + DATABASE_MS) / 1000));
    expect(total).toBeGreaterThanOrEqual(150);
  });

  it('counts for a second process what the first one has used alone', async () => {
    const cluster = new Cluster(1, 100);
    for (let call = 0; call < 80; call += 1) {
      expect(await cluster.take(0)).toBeDefined();
      cluster.now += 200;
    }
    expect(cluster.questions).toBe(0);
    cluster.add();
    await cluster.report();
    let admitted = 0;
    for (let call = 0; call < 100; call += 1) {
      const taking = cluster.take(call);
      await cluster.reply();
      if ((await taking) !== undefined) admitted += 1;
    }
    expect(admitted).toBeGreaterThanOrEqual(15);
    expect(admitted).toBeLessThanOrEqual(20);
    // Nothing is forgotten before its minute is over.
    cluster.now += 43_000;
    const later = cluster.take(1, 10);
    await cluster.reply();
    expect(await later).toBeUndefined();
  });

  it('is divided while the database is away, nobody waits, and what was used meanwhile counts afterwards', async () => {
    const cluster = new Cluster(3, 300);
    for (const process of [0, 1, 2]) {
      const taking = cluster.take(process);
      await cluster.reply();
      await taking;
    }
    cluster.isAway = true;
    for (const process of [0, 1, 2]) {
      // The share that it holds, and then one call that notices the outage.
      for (let call = 0; call < 500; call += 1) await cluster.take(process);
      expect(cluster.usedLately(process)).toBe(100);
      const refusal = { seconds: 5, used: 100, limit: 300, part: 100 };
      expect(cluster.running[process]!.limits.take(key, 300)).toEqual({ refusal });
    }
    cluster.now += 2000;
    cluster.isAway = false;
    expect(await cluster.take(0)).toBeUndefined();
    await cluster.report();
    for (const process of [0, 1, 2]) {
      // More than the share that it may still hold.
      const taking = cluster.take(process, 11);
      await cluster.reply();
      expect(await taking).toBeUndefined();
    }
    cluster.now += 61_000;
    const taking = cluster.take(0, 200);
    await cluster.reply();
    expect(await taking).toBeDefined();
  });

  it('is divided for one key while another transaction holds its window, and asked for again after a second', async () => {
    const clock = { now: 5_000_000 };
    const asked: string[][] = [];
    const options = {
      ask: ((requests) => {
        asked.push(requests.map(({ tenantKeyId }) => tenantKeyId));
        return Promise.resolve(
          requests.map(({ tenantKeyId, most }) =>
            tenantKeyId === 'locked'
              ? 'locked'
              : { available: most, granted: most, second: 1, amounts: null },
          ),
        );
      }) satisfies AskWindows,
      processes: { isAlone: false, aloneSince: -Infinity, count: 3 },
      timeoutMs: 100_000,
      now: () => clock.now,
      databaseNow: () => clock.now + DATABASE_MS,
    };
    const exchange = new LimitExchange(options);
    const limits = new SharedLimits('tokens', options, exchange);
    const locked = { ...key, tenantKeyId: 'locked' };
    const [one, other] = await Promise.all([limits.take(locked, 6), limits.take(key, 6)]);
    expect([one.refusal, other.refusal]).toEqual([undefined, undefined]);
    expect(asked).toEqual([['a', 'locked']]);
    expect(limits.take(locked, 6)).toEqual({ second: expect.any(Number) });
    expect(limits.take(locked, 6)).toMatchObject({ refusal: { used: 2 } });
    await exchange.flush();
    expect(limits.take(key, 6)).toBeInstanceOf(Promise);
    await nextTurn();
    expect(asked).toEqual([['a', 'locked'], ['a']]);
    clock.now += 1000;
    await exchange.flush();
    expect(asked.at(-1)).toEqual(['locked']);
    clock.now += 1000;
    expect(limits.take(locked, 6)).toBeInstanceOf(Promise);
    await exchange.flush();
  });

  it('stays divided while replies are late, until one comes in time', async () => {
    const clock = { now: 5_000_000, delayMs: 60, fails: false };
    const changes: boolean[] = [];
    const options = {
      ask: (async (requests) => {
        await delay(clock.delayMs);
        if (clock.fails) throw new Error('the statement is given up');
        return requests.map(({ most }) => ({ available: most, granted: most, second: 1, amounts: null }));
      }) satisfies AskWindows,
      processes: { isAlone: false, aloneSince: -Infinity, count: 3 },
      timeoutMs: 20,
      now: () => clock.now,
      databaseNow: () => clock.now + DATABASE_MS,
      onAway: (isAway: boolean) => void changes.push(isAway),
    };
    const exchange = new LimitExchange(options);
    const limits = new SharedLimits('tokens', options, exchange);
    for (let call = 0; call < 3; call += 1) {
      expect(await limits.take(key, 30)).toEqual({ second: expect.any(Number) });
      await exchange.flush();
      clock.now += 1000;
    }
    expect(changes).toEqual([true]);
    expect(exchange.counts).toMatchObject({ answered: 0 });
    expect(exchange.counts.failed).toBeGreaterThanOrEqual(3);
    const { failed } = exchange.counts;
    clock.fails = true;
    await limits.take(key, 30);
    await exchange.flush();
    expect(exchange.counts.failed).toBe(failed + 1);
    clock.fails = false;
    clock.now += 1000;
    clock.delayMs = 0;
    await limits.take(key, 30);
    await exchange.flush();
    expect(changes).toEqual([true, false]);
    expect(exchange.counts.answered).toBeGreaterThanOrEqual(1);
  });

  it('admits at least one call of each process while the database is away', async () => {
    const cluster = new Cluster(3, 2);
    cluster.isAway = true;
    for (const process of [0, 1, 2]) {
      expect(await cluster.take(process)).toBeDefined();
      expect(await cluster.take(process)).toBeUndefined();
    }
  });
});
