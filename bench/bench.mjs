// Puts the parts together: starts everything, runs the rounds and the further parts, writes the report.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, chmodSync, rmSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gateways } from './gateways/index.mjs';
import { startDatabase } from './gateways/database.mjs';
import { startHelper } from './gateways/processes.mjs';
import { startLoad } from './load/load.mjs';
import { coresOf, describeMachine, pinSelf, usageOf } from './measure/machine.mjs';
import { runRounds } from './measure/rounds.mjs';
import { openState } from './measure/state.mjs';
import { measureGrowth } from './extra/growth.mjs';
import { measureHostileBodies } from './extra/hostile.mjs';
import { measureProcesses } from './extra/processes.mjs';
import { reportOf, writeReport } from './report/report.mjs';
import { works } from './work/works.mjs';

const home = import.meta.dirname;
const QUICK_LIMIT_MS = 20 * 60_000;
/** What the hostile bodies, the last figures and the stop take at most, so that the rounds end before. */
const RESERVED_MS = 3 * 60_000;

const say = (text) => console.log(text);

export async function runBench(options) {
  const began = performance.now();
  const cores = coresOf(options.gatewayCore);
  const { commit: revision, build } = versionOfTenkey();
  const { state, isOther } = openState({
    file: join(home, 'state', `${options.full ? 'full' : 'quick'}.json`),
    setting: settingOf(options, build, cores),
    resume: options.full && !options.fresh,
  });
  if (isOther)
    say('The kept results are of another version or other settings, so the run starts from the beginning.');
  explain(options, cores);
  pinSelf(cores.others);

  // The folder is not in bench/, because the database may run as another user, who needs access to it.
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-bench-'));
  chmodSync(folder, 0o755);
  const stops = [() => rmSync(folder, { recursive: true, force: true })];
  const stopAll = stopOnce(stops);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => void stopAll().then(() => process.exit(1)));
  }
  try {
    const context = { cores, core: cores.gateway, folder, data: join(home, 'data'), revision, stops };
    await startBench(context);
    const running = await startGateways(options, context, state);
    if (running.length === 0) throw new Error('There is no gateway to measure.');
    const chosen = works.filter(({ name }) => options.works.includes(name));
    const deadline = options.full || options.isLook ? Infinity : began + QUICK_LIMIT_MS - RESERVED_MS;
    await runRounds({ running, works: chosen, options, state, bench: context, deadline, say });
    await noteMemoryAfter(running, state);
    if (options.extras.includes('hostile')) state.hostile ??= await measureHostileBodies({ ...context, say });
    state.save();
    if (options.extras.includes('growth')) await measureGrowth({ ...context, say, state });
    if (options.extras.includes('processes')) await measureProcesses({ ...context, say, state });
    state.endedAt = new Date().toISOString();
    state.minutes = Math.round((performance.now() - began) / 60_000);
    state.save();
    const report = reportOf(state, works);
    if (options.writes) say(`Written: ${writeReport(report, home).join(', ')}`);
    else say(`\n${report.markdown}`);
  } finally {
    await stopAll();
  }
}

/** What results must have in common to be compared. */
function settingOf(options, build, cores) {
  const { full, gateways: names, works: kinds, connections, rounds, seconds, warmUp } = options;
  const machine = describeMachine();
  return { build, full, gateways: names, works: kinds, connections, rounds, seconds, warmUp, cores, machine };
}

function explain(options, cores) {
  const pairs = options.gateways.length * options.works.length;
  const measurements = pairs * options.connections.length * options.rounds;
  const minutes = (measurements * (options.seconds + 0.4) + pairs * options.warmUp) / 60;
  say(`Gateways: ${options.gateways.join(', ')}. Work: ${options.works.join(', ')}.`);
  say(
    `${options.rounds} rounds of ${options.seconds} s with ${options.connections.join(', ')} connections: about ${Math.ceil(minutes)} minutes.`,
  );
  say(
    `The gateway has core ${cores.gateway} for itself; everything else is on ${cores.others}. npm run bench -- --help lists the options.`,
  );
}

async function startBench(context) {
  const provider = await startHelper(join(home, 'provider/server.mjs'));
  context.stops.push(provider.stop);
  context.provider = { port: provider.first.port };
  context.load = await startLoad();
  context.stops.push(context.load.stop);
  context.database = await startDatabase(join(context.folder, 'database'));
  context.stops.push(context.database.stop);
}

async function startGateways(options, context, state) {
  mkdirSync(context.data, { recursive: true });
  const running = [];
  for (const gateway of gateways.filter(({ name }) => options.gateways.includes(name))) {
    try {
      const version = await gateway.prepare(context);
      const started = await gateway.start(context);
      if (started.process) context.stops.push(started.process.stop);
      running.push({ ...started, name: gateway.name, title: gateway.title });
      const { startMs } = started.process ?? {};
      state.processes[gateway.name] = { title: gateway.title, version, startMs, ...(await idleOf(started)) };
    } catch (error) {
      state.missing[gateway.title] = error.message.replaceAll(context.folder, '').replaceAll(home, 'bench');
      say(`${gateway.title} is left out: ${error.message}.`);
    }
  }
  state.save();
  return running;
}

async function idleOf({ process: own }) {
  if (own === undefined) return {};
  await sleep(1500);
  return { idleMib: usageOf(own.pid).rssMib };
}

/** Memory that a burst of calls needed should be given back; some seconds later it shows what stays. */
async function noteMemoryAfter(running, state) {
  await sleep(5000);
  for (const { name, process: own } of running) {
    if (own !== undefined) state.processes[name].afterMib = usageOf(own.pid).rssMib;
  }
}

/** `build` is the hash of the sources, which stays the same when a commit changes only texts. */
function versionOfTenkey() {
  const git = (...args) => spawnSync('git', args, { cwd: home, encoding: 'utf8' }).stdout?.trim() ?? '';
  const build = readFileSync(join(home, '../dist/.stamp'), 'utf8').slice(0, 12);
  const commit = git('rev-parse', '--short', 'HEAD') || 'unknown commit';
  const isChanged = git('status', '--porcelain', '--', '../apps', '../libs', '../package-lock.json') !== '';
  return { build, commit: isChanged ? `${commit} with changes` : commit };
}

/** Stops in reverse order, once, however often it is called, and goes on when one stop fails. */
function stopOnce(stops) {
  let stopping;
  const all = async () => {
    for (const stop of stops.reverse())
      await Promise.resolve()
        .then(stop)
        .catch((error) => say(error.message));
  };
  return () => (stopping ??= all());
}
