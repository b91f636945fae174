// The rounds: in each one, every kind of work and number of connections is measured with each gateway in turn. Rounds are
// the outer loop, so that a bad minute of the machine spoils one round of many figures instead of all rounds of one.
import { measure, tryOnce, warmUp } from './cell.mjs';

/** How often a noisy measurement is thrown away and repeated before its round is given up. */
const REPEATS = 2;

/** @param state the kept results (state.mjs)
 *  @param deadline when the last measurement must have ended, in ms as performance.now() counts, or Infinity */
export async function runRounds({ running, works, options, state, bench, deadline, say }) {
  const warm = new Set();
  const pairs = running.length * works.length;
  const cells = cellsOf({ running, works, options });
  const missing = cells.filter(({ key }) => state.measurements[key] === undefined);
  if (missing.length < cells.length)
    say(`${cells.length - missing.length} measurements are kept from before.`);
  let left = missing.length;
  for (const { key, gateway, work, connections, round } of missing) {
    const pair = `${gateway.name}/${work.name}`;
    left -= 1;
    if (state.excluded[pair] !== undefined) continue;
    if (performance.now() + options.seconds * 1000 > deadline) {
      say(`The time is up; ${left + 1} measurements are left out.`);
      state.outOfTime = true;
      return;
    }
    if (!warm.has(pair)) {
      const fault = await tryOnce({ gateway, work }).catch((error) => error);
      if (fault instanceof Error) {
        state.excluded[pair] = fault.message;
        state.save();
        say(`${gateway.title} is left out of "${work.title}": ${fault.message}.`);
        continue;
      }
      await warmUp({ gateway, work, seconds: options.warmUp, bench });
      warm.add(pair);
    }
    // What is still to be measured and warmed up must fit in before the deadline.
    const needed = (left + 2) * (options.seconds + 0.5) + (pairs - warm.size) * options.warmUp;
    const mayRepeat = () => performance.now() + needed * 1000 < deadline;
    const figures = await quietly({ gateway, work, connections, seconds: options.seconds, bench }, mayRepeat);
    state.measurements[key] = figures;
    state.save();
    say(lineOf({ gateway, work, connections, round, figures }));
    if (gateway.process?.exited()) throw new Error(`${gateway.title} has stopped during ${work.title}.`);
  }
}

/** In each round another gateway comes first, so that none always follows the same one. */
function cellsOf({ running, works, options }) {
  const cells = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    const first = (round - 1) % running.length;
    const turn = [...running.slice(first), ...running.slice(0, first)];
    for (const work of works)
      for (const connections of options.connections)
        for (const gateway of turn) {
          const key = keyOf({ round, work: work.name, connections, gateway: gateway.name });
          cells.push({ key, gateway, work, connections, round });
        }
  }
  return cells;
}

export const keyOf = ({ round, work, connections, gateway }) => `${round}/${work}/${connections}/${gateway}`;

async function quietly(cell, mayRepeat) {
  for (let thrownAway = 0; ; thrownAway += 1) {
    const figures = await measure(cell);
    if (!figures.isNoisy || thrownAway === REPEATS || !mayRepeat()) return { ...figures, thrownAway };
  }
}

function lineOf({ gateway, work, connections, round, figures }) {
  const failed = Object.values(figures.failures).reduce((sum, count) => sum + count, 0);
  return [
    `round ${round}`,
    work.name.padEnd(16),
    `c=${connections}`.padEnd(5),
    gateway.name.padEnd(8),
    `${figures.rate.toFixed(0)}/s`.padStart(8),
    `p50 ${(figures.latency.p50 ?? NaN).toFixed(2)} ms`,
    ...(figures.cpuMs === null ? [] : [`CPU ${figures.cpuMs.toFixed(3)} ms`]),
    ...(failed === 0 ? [] : [`${failed} FAILED`]),
    ...(figures.isNoisy ? ['noisy'] : []),
    ...(figures.thrownAway === 0 ? [] : [`(${figures.thrownAway} thrown away)`]),
  ].join('  ');
}
