import { setTimeout as wait } from 'node:timers/promises';
import { runCli } from '../support/cli';
import { encryptionKey } from '../support/app';
import { until } from '../support/until';
import { seeded } from './numbers';
import { FaultRow } from './fault-rows';
import { OwnServer } from './own-server';
import { paced } from './paced';
import {
  collecting,
  type Growth,
  growthOf,
  type Memory,
  memoryOf,
  type Sample,
  sampleOf,
  whenIdle,
} from './process-samples';
import { type Services, startServices } from './service-processes';
import { SoakLoad } from './soak-load';
import { SoakTenant } from './soak-tenant';

/** `npm run soak` sets 20. Less than ten minutes are too short to see whether the memory grows. */
const MINUTES = Number(process.env.SOAK_MINUTES ?? 0.5);
const isLong = MINUTES >= 10;
const CAPACITY_MS = MINUTES < 2 ? 5000 : 20_000;
const SAMPLE_MS = MINUTES < 2 ? 2000 : 10_000;
/** How many samples there are for one of the memory, which a collection precedes. */
const SAMPLES_PER_COLLECTION = 5;
/** Once in a short run. */
const RESTART_MS = Math.min(5, MINUTES / 2) * 60_000;
const SHARE_OF_CAPACITY = 0.8;
/** How many calls run at once while the capacity is measured, and at most afterwards, when the machine is busy. */
const CALLERS = 32;
const OPEN = 2 * CALLERS;
const TENANTS = 12;
/** Each changes the credentials of a third of the tenants, one after the other. */
const CHANGERS = 3;
const CHANGE_PAUSE_MS = 200;
/** Until memory and pools have their usual size. */
const WARM_UP = 0.25;
/** What is in use after a collection. A leak of a hundred bytes for each call is several times as much. */
const MAX_MIB_PER_HOUR = 30;
/** Of the process. It includes what the allocator has not given back yet. */
const MAX_RESIDENT_MIB_PER_HOUR = 80;
const MAX_ANSWER_MS = 26_000;

describe('two processes under load for a long time', () => {
  let server: OwnServer;
  let services: Services;
  beforeAll(async () => {
    server = await OwnServer.start();
    services = await startServices(server.url, 2, { preload: collecting });
  });
  afterAll(async () => {
    await services.close();
    await server.close();
  });

  const areReady = async () => {
    const ready = await Promise.all(services.all.map((service) => service.request('GET', '/ready', {})));
    return ready.every(({ status }) => status === 200) && (await services.leases()).join() === '5000,5000';
  };

  it(
    'lose no change, use no key that was replaced, leave no call without an answer, and do not grow',
    async () => {
      const random = seeded(7);
      const tenants: SoakTenant[] = [];
      for (let each = 0; each < TENANTS; each += 1) tenants.push(await SoakTenant.create(services, random));
      const load = new SoakLoad(services, tenants, random);
      const say = (text: string) => process.stdout.write(`${text}\n`);
      const idle = await Promise.all(services.all.map(sampleOf));
      const capacity = await load.capacity(CALLERS, CAPACITY_MS);
      const perSecond = capacity * SHARE_OF_CAPACITY;
      say(`capacity: ${capacity.toFixed(0)} calls/s; holding ${perSecond.toFixed(0)} for ${MINUTES} minutes`);

      const samples = services.all.map((): Sample[] => []);
      const memory = services.all.map((): Memory[] => []);
      const started = performance.now();
      const end = started + MINUTES * 60_000;
      let isBroken = false;
      const isOver = () => isBroken || performance.now() > end;
      const calling = paced({ perSecond, open: OPEN, isOver }, () => load.call());
      const changing = Array.from({ length: CHANGERS }, async (_, changer) => {
        const own = tenants.filter((_tenant, index) => index % CHANGERS === changer);
        for (let turn = 0; !isOver(); turn += 1) {
          await own[turn % own.length]!.change(services.all[turn % 2]!);
          await wait(CHANGE_PAUSE_MS);
        }
      });
      const outages: number[] = [];
      const restarting = (async () => {
        for (let next = started + RESTART_MS; next < end; next += RESTART_MS) {
          await wait(Math.max(0, next - performance.now()));
          if (isOver()) return;
          const from = performance.now();
          load.outage = { from, until: Infinity };
          await server.crash(outages.length % 2 === 0 ? 'SIGKILL' : 'SIGQUIT');
          await until(() => areReady().catch(() => false), 'both processes use the database again', 60_000);
          load.outage.until = performance.now();
          outages.push(load.outage.until - from);
          say(`the database was restarted; used again after ${outages.at(-1)!.toFixed(0)} ms`);
        }
      })();
      const sampling = (async () => {
        for (let count = 0, last = load.answered; !isOver(); count += 1, last = load.answered) {
          await wait(SAMPLE_MS);
          if (count % SAMPLES_PER_COLLECTION === 0)
            (await Promise.all(services.all.map(memoryOf))).forEach((each, index) =>
              memory[index]!.push(each),
            );
          const now = await Promise.all(services.all.map(sampleOf));
          now.forEach((sample, index) => samples[index]!.push(sample));
          const shown = now.map(
            ({ residentMiB, openFiles, loopDelayMs }) =>
              `${residentMiB.toFixed(0)} MiB, ${openFiles} files, event loop p99 ${loopDelayMs.toFixed(0)} ms`,
          );
          const rate = ((load.answered - last) * 1000) / SAMPLE_MS;
          say(
            `${((performance.now() - started) / 1000).toFixed(0)} s: ${rate.toFixed(0)} calls/s; ${shown.join('; ')}`,
          );
        }
      })();
      const all = [calling, restarting, sampling, ...changing] as const;
      for (const each of all) each.catch(() => (isBroken = true));
      await Promise.allSettled(all);
      const [leftOut] = await Promise.all(all);
      const seconds = (performance.now() - started) / 1000;

      // The connections of clients end now, and those to the provider when they have been idle for some seconds.
      await load.close();
      await Promise.all(services.all.map((service, index) => whenIdle(service, idle[index]!.openFiles)));
      const [{ records }] = await usageSettled(load.received);
      const kept = await Promise.all(tenants.map((tenant) => tenant.isKept()));
      const lostChanges = kept.filter((isKept) => !isKept).length;
      const lostUsage = Math.max(0, load.received - records);
      const slowestChange = Math.max(...tenants.map(({ slowestMs }) => slowestMs));
      const ended = await Promise.all(services.all.map(sampleOf));

      const sum = (of: (tenant: SoakTenant) => Map<string, number>) => {
        const total = new Map<string, number>();
        for (const tenant of tenants)
          for (const [name, count] of of(tenant)) total.set(name, (total.get(name) ?? 0) + count);
        return Object.fromEntries(total);
      };
      const inMs = (percentile: number) => (load.durations.percentile(percentile) / 1000).toFixed(1);
      say(
        [
          `${load.calls} calls in ${seconds.toFixed(0)} s (${(load.answered / seconds).toFixed(0)} answered each second): ${load.answered} answered, ${load.left} left by the client, ${load.slow} read slowly, ${leftOut} left out because the machine was busy`,
          `  failed: ${JSON.stringify(Object.fromEntries(load.failed))}; hung: ${load.hung}; wrong: ${load.wrongs}`,
          `  in ms: p50 ${inMs(50)}, p99 ${inMs(99)}, p99.9 ${inMs(99.9)}, slowest ${(load.durations.max / 1000).toFixed(0)}`,
          `  usage: ${records} records of ${load.received} calls that the provider received`,
          `changes: ${JSON.stringify(sum(({ changes }) => changes))}; not made: ${JSON.stringify(sum(({ unmade }) => unmade))}; lost: ${lostChanges}; slowest ${slowestChange.toFixed(0)} ms`,
          `restarts of the database: ${outages.length}, used again after ${outages.map((ms) => ms.toFixed(0)).join(', ')} ms`,
        ].join('\n'),
      );
      const growths = memory.map((all, index) => {
        const warm = all.slice(Math.floor(all.length * WARM_UP));
        const used = growthOf(warm, ({ usedMiB }) => usedMiB);
        const resident = growthOf(warm, ({ residentMiB }) => residentMiB);
        const files = samples[index]!.map(({ openFiles }) => openFiles);
        const delays = samples[index]!.map(({ loopDelayMs }) => loopDelayMs);
        const inWords = ({ perHour, first, last }: Growth) =>
          `${perHour.toFixed(1)} MiB/h, median of the first third ${first.toFixed(1)} MiB, of the last ${last.toFixed(1)} MiB`;
        say(
          `process ${index}: after ${warm.length} collections, used: ${inWords(used)}; resident: ${inWords(resident)}; at most ${Math.max(...files)} files, ${idle[index]!.openFiles} before and ${ended[index]!.openFiles} afterwards; event loop p99 at most ${Math.max(...delays).toFixed(0)} ms`,
        );
        return { used, resident };
      });

      const row = new FaultRow('the database is killed under load: changes and calls');
      row.reached = outages.length;
      row.lost = lostChanges + lostUsage;
      row.wrong = load.wrongs;
      row.took(slowestChange);
      row.took(load.durations.max / 1000);
      row.report();
      expect(load.wrong).toEqual([]);
      expect([load.hung, lostChanges, lostUsage]).toEqual([0, 0, 0]);
      // Some clients left before the provider received their call.
      expect(records).toBeLessThanOrEqual(load.received + load.left);
      expect(slowestChange).toBeLessThan(MAX_ANSWER_MS);
      expect(outages.length).toBeGreaterThan(0);
      // Every kind of change was made, and clients left and read slowly.
      expect(Object.keys(sum(({ changes }) => changes))).toHaveLength(5);
      expect(Math.min(load.left, load.slow)).toBeGreaterThan(0);
      for (const { used, resident } of isLong ? growths : []) {
        expect(used.perHour).toBeLessThan(MAX_MIB_PER_HOUR);
        expect(resident.perHour).toBeLessThan(MAX_RESIDENT_MIB_PER_HOUR);
      }
      const audit = await runCli(
        { DATABASE_URL: server.url, ENCRYPTION_KEY: encryptionKey },
        'audit',
        'verify',
      );
      expect([audit.code, audit.stdout]).toEqual([0, expect.stringContaining(', 0 faults')]);
    },
    (MINUTES + 3) * 60_000,
  );

  /** Usage is written a moment after its call. */
  async function usageSettled(received: number) {
    const stored = () =>
      services.query<{ records: number }>('select count(*)::int as records from usage_records');
    await until(async () => (await stored())[0]!.records >= received, 'usage is written').catch(
      () => undefined,
    );
    return (await stored()) as [{ records: number }];
  }
});
