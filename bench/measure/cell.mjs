// One measurement: one gateway, one kind of work, one number of connections, for some seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { busyMsOf, usageOf } from './machine.mjs';
import { requestBytes } from '../work/works.mjs';

/** More work of others than this on a core, as a share of its time, makes a measurement noisy. */
const FOREIGN_SHARE_OF_GATEWAY_CORE = 0.05;
const FOREIGN_SHARE_OF_OTHER_CORES = 0.1;

/** @param gateway a running gateway, as gateways/ return it
 *  @param bench the processes of the bench: `load` runs jobs, `cores` are what coresOf returned */
export async function measure({ gateway, work, connections, seconds, bench }) {
  const job = { ...jobOf(gateway, work), connections, seconds };
  const before = sample(gateway, bench.cores);
  const result = await bench.load.run(job);
  const after = sample(gateway, bench.cores);

  const elapsedMs = after.at - before.at;
  const spent = (name) => after[name] - before[name];
  const perCall = (ms) => (result.calls === 0 ? null : ms / result.calls);
  const share = (ms, cores = 1) => Math.max(0, ms / elapsedMs / cores);
  const others = bench.cores.others.length;
  const foreign = {
    gatewayCore: gateway.process === undefined ? 0 : share(spent('gatewayCoreMs') - spent('gatewayMs')),
    otherCores: share(spent('otherCoresMs') - spent('benchMs'), others),
  };
  return {
    rate: result.calls / result.seconds,
    latency: result.latency,
    firstByte: result.firstByte,
    framesPerSecond: result.frames / result.seconds,
    failures: result.failures,
    cpuMs: gateway.process === undefined ? null : perCall(spent('gatewayMs')),
    databaseCpuMs: gateway.databasePid === undefined ? null : perCall(spent('databaseMs')),
    rssMib: after.rssMib,
    gatewayBusy: share(spent('gatewayMs')),
    loadBusy: share(spent('benchMs'), others),
    foreign,
    isNoisy:
      foreign.gatewayCore > FOREIGN_SHARE_OF_GATEWAY_CORE ||
      foreign.otherCores > FOREIGN_SHARE_OF_OTHER_CORES,
  };
}

/** V8 compiles what runs often, so the first seconds of a kind of work say little about the ones that follow. */
export async function warmUp({ gateway, work, seconds, bench }) {
  await bench.load.run({ ...jobOf(gateway, work), connections: 16, seconds });
  // What the calls left to do, such as writing usage records, is not part of the next measurement.
  await sleep(300);
}

/** Makes one call and looks at the response; throws what is wrong with it. */
export async function tryOnce({ gateway, work }) {
  const { path, headers } = gateway.request(work);
  const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: work.body,
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`it responds with ${response.status}`);
  if (!work.expects.test(text)) throw new Error('its response does not have the expected content');
}

function jobOf(gateway, work) {
  const { path, headers } = gateway.request(work);
  return {
    targets: [{ host: '127.0.0.1', port: gateway.port }],
    requests: [requestBytes({ path, headers, body: work.body })],
  };
}

function sample(gateway, cores) {
  const own = gateway.process && usageOf(gateway.process.pid);
  const database = gateway.databasePid && usageOf(gateway.databasePid);
  const gatewayMs = own?.cpuMs ?? 0;
  return {
    at: performance.now(),
    gatewayMs,
    rssMib: own?.rssMib ?? null,
    databaseMs: database?.cpuMs ?? 0,
    // The bench itself is everything that this process has started, but for the gateway that is measured.
    benchMs: usageOf(process.pid).cpuMs - gatewayMs,
    gatewayCoreMs: busyMsOf([cores.gateway]),
    otherCoresMs: busyMsOf(cores.others),
  };
}
