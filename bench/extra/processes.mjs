// How long does a change take with many processes, and what do their leases cost the database?
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { startDatabase } from '../gateways/database.mjs';
import { startHelper } from '../gateways/processes.mjs';
import { usageOf } from '../measure/machine.mjs';
import { summaryOf } from '../measure/statistics.mjs';
import { changesOf, openDatabase } from './feeds.mjs';

const COUNTS = [1, 10, 100, 500];
const IDLE_SECONDS = 10;
const CHANGES = 40;

export async function measureProcesses({ state, say, folder, stops }) {
  if (state.processCounts !== undefined) return;
  const database = await startDatabase(join(folder, 'many'), { maxConnections: 600 });
  stops.push(database.stop);
  const rows = [];
  for (const count of COUNTS) {
    const row = await rowOf(database, count);
    say(`${count} processes: ${JSON.stringify(row)}`);
    rows.push(row);
  }
  state.processCounts = rows;
  state.save();
}

async function rowOf(database, count) {
  const url = await database.create('many');
  const feeds = await startHelper(join(import.meta.dirname, 'feeds.mjs'), [url, String(count)]);
  const dataSource = await openDatabase(url);
  try {
    const { changes } = changesOf(dataSource);
    const cpuDuring = async (work) => {
      const before = usageOf(database.pid).cpuMs;
      await work();
      return usageOf(database.pid).cpuMs - before;
    };
    const idleMs = await cpuDuring(() => sleep(IDLE_SECONDS * 1000));
    const waits = [];
    const change = async () => {
      const id = '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10';
      const write = (transaction) =>
        transaction.query(
          `insert into tenants (id, name) values ($1, 'bench') on conflict (id) do update set updated_at = now()`,
          [id],
        );
      await changes.transaction([id], write, { inForce: ({ waitedMs }) => waits.push(waitedMs) });
    };
    await change();
    waits.length = 0;
    const changesMs = await cpuDuring(async () => {
      for (let each = 0; each < CHANGES; each += 1) {
        await change();
        await sleep(100);
      }
    });
    const idlePerSecond = idleMs / IDLE_SECONDS;
    // Renewals go on while changes are made.
    const seconds = (waits.reduce((sum, each) => sum + each, 0) + CHANGES * 100) / 1000;
    const perChange = (changesMs - idlePerSecond * seconds) / CHANGES;
    return {
      processes: count,
      idleCpuMsPerSecond: round(idlePerSecond),
      changeCpuMs: round(Math.max(0, perChange)),
      waitedMs: summaryOf(waits),
    };
  } finally {
    await dataSource.destroy();
    await feeds.stop();
  }
}

const round = (value) => Math.round(value * 100) / 100;
