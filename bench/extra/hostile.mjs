// Ten bodies at once that are as large as Tenkey accepts and made of as many values as fit: does it still respond?
import { fileURLToPath } from 'node:url';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHelper } from '../gateways/processes.mjs';
import { startTenkey } from '../gateways/tenkey.mjs';
import { usageOf } from '../measure/machine.mjs';

const LIMIT_SECONDS = 60;
const HEALTH_EVERY_MS = 50;

const variants = [
  { title: 'passed through', path: '/v1/chat/completions', model: 'gpt-4o' },
  { title: 'translated', path: '/v1/chat/completions', model: 'claude-sonnet' },
];

export async function measureHostileBodies({ core, provider, folder, database, say, stops }) {
  const results = [];
  for (const variant of variants) {
    // A process that the bodies have ended must not spoil the next variant, so each one gets its own.
    const databaseUrl = await database.create('hostile');
    const tenkey = await startTenkey({ core, provider, folder, databaseUrl });
    stops.push(tenkey.process.stop);
    const { key } = await tenkey.newTenant('hostile');
    const sender = await startHelper(fileURLToPath(new URL('hostile-sender.mjs', import.meta.url)), [
      String(tenkey.port),
      variant.path,
      variant.model,
      key,
      String(LIMIT_SECONDS),
    ]);
    stops.push(sender.stop);
    const result = { title: variant.title, ...(await watch(tenkey, sender)) };
    await sender.stop();
    await tenkey.process.stop();
    say(
      `hostile bodies, ${result.title}: /health took at most ${result.slowestHealthMs.toFixed(0)} ms, ` +
        `RSS ${result.peakRssMib.toFixed(0)} MiB, ${result.crashed ? 'the process ended' : 'no crash'}`,
    );
    results.push(result);
  }
  return results;
}

async function watch({ port, process: own }, { child }) {
  const before = usageOf(own.pid).rssMib;
  let peakRssMib = before;
  const health = [];
  const pending = new Set();
  let finished;
  const sent = new Promise((resolve) => child.once('message', resolve)).then((result) => (finished = result));
  child.send('go');
  while (finished === undefined && !own.exited()) {
    const request = healthOf(port).then((each) => health.push(each));
    pending.add(request);
    void request.finally(() => pending.delete(request));
    peakRssMib = Math.max(peakRssMib, usageOf(own.pid).rssMib);
    await sleep(HEALTH_EVERY_MS);
  }
  const crashed = own.exited();
  const { answers, seconds } = await sent;
  await Promise.all(pending);
  return {
    crashed,
    seconds,
    answers: countsOf(answers),
    slowestHealthMs: Math.max(...health.map(({ ms }) => ms)),
    failedHealth: health.filter(({ ok }) => !ok).length,
    rssBeforeMib: before,
    peakRssMib,
  };
}

/** On a connection of its own, so that one slow response does not delay the next question. */
function healthOf(port) {
  const began = performance.now();
  return new Promise((resolve) => {
    const finish = (ok) => resolve({ ok, ms: performance.now() - began });
    get(
      { port, host: '127.0.0.1', path: '/health', agent: false, timeout: LIMIT_SECONDS * 1000 },
      (response) => {
        response.resume().on('end', () => finish(response.statusCode === 200));
      },
    )
      .on('timeout', function () {
        this.destroy();
      })
      .on('error', () => finish(false));
  });
}

function countsOf(answers) {
  const counts = {};
  for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
  return counts;
}
