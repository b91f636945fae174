import { keyOf } from '../measure/rounds.mjs';
import { summaryOf } from '../measure/statistics.mjs';

const BUSY = 0.95;

/** The kept measurements, summed up over the rounds. */
export class Results {
  constructor(state) {
    this.state = state;
    this.connections = state.setting.connections;
    this.gateways = state.setting.gateways.filter((name) => state.processes[name] !== undefined);
  }

  title(gateway) {
    return this.process(gateway).title;
  }

  process(gateway) {
    return this.state.processes[gateway];
  }

  /** The figures of one gateway, kind of work and number of connections; undefined if there is no measurement. */
  cell(gateway, work, connections) {
    const all = this.#rounds(gateway, work, connections);
    if (all.length === 0) return undefined;
    const quiet = all.filter(({ own }) => !own.isNoisy);
    const used = quiet.length > 0 ? quiet : all;
    // A ratio needs two quiet measurements of the same round.
    const pairs = used.filter(({ bare }) => bare !== undefined && (quiet.length === 0 || !bare.isNoisy));
    const of = (pick) => summaryOf(used.map(({ own }) => pick(own) ?? NaN));
    const compared = (pick) => summaryOf(pairs.map(pick));
    return {
      isNoisy: quiet.length === 0,
      isLimitedByLoad:
        gateway !== 'direct' && used.every(({ own }) => own.loadBusy > BUSY && own.gatewayBusy < BUSY),
      rate: of(({ rate }) => rate),
      ofBare: compared(({ own, bare }) => own.rate / bare.rate),
      p50: of(({ latency }) => latency.p50),
      p99: of(({ latency }) => latency.p99),
      firstByte: of(({ firstByte }) => firstByte.p50),
      firstByteOverBare: compared(({ own, bare }) => own.firstByte.p50 - bare.firstByte.p50),
      framesPerSecond: of(({ framesPerSecond }) => framesPerSecond || NaN),
      framesOfBare: compared(({ own, bare }) => own.framesPerSecond / bare.framesPerSecond),
      cpuMs: of(({ cpuMs }) => cpuMs),
      databaseCpuMs: of(({ databaseCpuMs }) => databaseCpuMs),
      failed: all.flatMap(({ own }) => Object.values(own.failures)).reduce((sum, count) => sum + count, 0),
    };
  }

  steadyRss(gateway) {
    const own = Object.entries(this.state.measurements).filter(([key]) => key.endsWith(`/${gateway}`));
    return summaryOf(own.map(([, { rssMib }]) => rssMib ?? NaN))?.median;
  }

  counts() {
    const all = Object.values(this.state.measurements);
    return {
      measured: all.length,
      thrownAway: all.reduce((sum, each) => sum + each.thrownAway, 0),
      noisy: all.filter((each) => each.isNoisy).length,
    };
  }

  #rounds(gateway, work, connections) {
    const found = [];
    for (let round = 1; round <= this.state.setting.rounds; round += 1) {
      const at = (name) => this.state.measurements[keyOf({ round, work, connections, gateway: name })];
      if (at(gateway) !== undefined) found.push({ own: at(gateway), bare: at('bare') });
    }
    return found;
  }
}
