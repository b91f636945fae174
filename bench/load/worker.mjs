// The process of the load generator. It gets one job at a time over IPC and returns what it measured.
import { Client } from './client.mjs';

/** How long calls that are still running may take after the time is up. */
const OVERTIME_SECONDS = 20;

process.on('message', async (job) => process.send(await run(job)));
process.on('disconnect', () => process.exit());
process.send('ready');

/** @param job `targets` are {host, port}; `requests` are strings of bytes in latin1, sent in turn by all connections */
async function run({ targets, requests, connections, seconds }) {
  const prepared = requests.map((request) => Buffer.from(request, 'latin1'));
  const latencies = [];
  const firstBytes = [];
  const failures = {};
  let frames = 0;
  let next = 0;

  const start = performance.now();
  const end = start + seconds * 1000;
  const report = (call) => {
    if (call.status < 200 || call.status > 299) {
      failures[call.status] = (failures[call.status] ?? 0) + 1;
      return;
    }
    latencies.push(call.latency);
    firstBytes.push(call.firstByte);
    frames += call.frames;
  };
  const take = () => (performance.now() < end ? prepared[next++ % prepared.length] : undefined);
  const clients = Array.from(
    { length: connections },
    (_, index) => new Client({ ...targets[index % targets.length], take, report }),
  );
  const timer = setTimeout(
    () => clients.forEach((client) => client.stop()),
    (seconds + OVERTIME_SECONDS) * 1000,
  );
  await Promise.all(clients.map((client) => client.run()));
  clearTimeout(timer);
  return {
    calls: latencies.length,
    // Until the last call has ended. Leaving those out that end after the time was up would favour fast gateways.
    seconds: (performance.now() - start) / 1000,
    frames,
    failures,
    latency: quantiles(latencies),
    firstByte: quantiles(firstBytes),
  };
}

function quantiles(values) {
  const sorted = Float64Array.from(values).sort();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  return { p50: at(0.5), p99: at(0.99) };
}
