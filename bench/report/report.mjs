// Makes RESULTS.md of the kept results.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Results } from './results.mjs';
import { plotOf } from './plot.mjs';
import { growthSection, hostileSection, processesSection, table } from './sections.mjs';

export function writeReport({ markdown, svg }, folder) {
  writeFileSync(join(folder, 'RESULTS.md'), markdown);
  writeFileSync(join(folder, 'results.svg'), svg);
  return ['bench/RESULTS.md', 'bench/results.svg'];
}

export function reportOf(state, works) {
  const results = new Results(state);
  const measured = works.filter(({ name }) => state.setting.works.includes(name));
  const markdown = [
    heading(state, results),
    ...measured.map((work) => workSection(results, work)),
    processSection(results),
    loadSection(results, measured),
    hostileSection(state),
    growthSection(state),
    processesSection(state),
    leftOutSection(state, works),
  ]
    .filter((section) => section !== '')
    .join('\n\n');
  return { markdown: `${markdown}\n`, svg: plotOf(results, measured) };
}

function heading(state, results) {
  const { machine, cores, rounds, seconds, warmUp } = state.setting;
  const compared = results.gateways.filter((name) => name !== 'direct');
  const versions = compared.map(
    (name) => `${state.processes[name].title} (${state.processes[name].version})`,
  );
  const { measured, thrownAway, noisy } = results.counts();
  return `# What does a call through Tenkey cost?

Written by \`npm run bench\`${state.setting.full ? ' with `--full`' : ''}; do not edit. [Contributing](../CONTRIBUTING.md#benchmarks) says how to repeat it.

![Calls per second as a share of the bare pass-through](results.svg)

- Date: ${state.startedAt.slice(0, 10)}
- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, Linux ${machine.kernel}
- Tenkey runs with strict mode, a tenant key, receipts, usage records and the log in a file
- Compared: ${versions.join('; ')}
- The gateway runs alone on core ${cores.gateway}. The mock provider, the load generator and PostgreSQL share core ${cores.others}.
- Medians of ${rounds} round${rounds === 1 ? '' : 's'} of ${seconds} s, in which the gateways take turns; lowest and highest in parentheses. Each gateway is warmed up for ${warmUp} s for each kind of work.
- "Of bare" is the ratio to the bare pass-through in the same round.
- Thrown away: ${thrownAway} of ${measured + thrownAway} measurements, because another program used more than a twentieth of the gateway's core or a tenth of the others.${
    noisy === 0
      ? ''
      : ` **${noisy} of the remaining ${measured} are just as noisy.** A row marked \`~\` has no other measurement, so its figures mean little.`
  }${state.outOfTime ? ' The time was up before all rounds were done.' : ''}`;
}

function workSection(results, work) {
  const rows = results.gateways.flatMap((gateway) =>
    results.connections.flatMap((connections) => {
      const cell = results.cell(gateway, work.name, connections);
      if (cell === undefined) return [];
      const mark = `${cell.isNoisy ? ' ~' : ''}${cell.isLimitedByLoad ? ' †' : ''}`;
      return [
        [
          `${results.title(gateway)}${mark}`,
          connections,
          spread(cell.rate, 0),
          gateway === 'bare' ? '1' : spread(cell.ofBare, 2),
          figure(cell.p50, 2),
          figure(cell.p99, 2),
          figure(cell.firstByte, 2),
          gateway === 'bare' ? '0' : figure(cell.firstByteOverBare, 2),
          ...(work.frames === undefined
            ? []
            : [figure(cell.framesPerSecond, 0), figure(cell.framesOfBare, 2)]),
          figure(cell.cpuMs, 3),
          figure(cell.databaseCpuMs, 3),
          cell.failed === 0 ? '0' : `**${cell.failed}**`,
        ],
      ];
    }),
  );
  const head = [
    ...['gateway', 'connections', 'calls/s', 'of bare', 'p50 ms', 'p99 ms', 'first byte ms', 'over bare ms'],
    ...(work.frames === undefined ? [] : ['frames/s', 'of bare']),
    ...['CPU ms per call', 'database CPU ms', 'failed'],
  ];
  return `## ${work.title}\n\n${table(head, rows)}`;
}

function processSection(results) {
  const rows = results.gateways
    .map((gateway) => ({ ...results.process(gateway), steady: results.steadyRss(gateway) }))
    .filter(({ startMs }) => startMs !== undefined)
    .map(({ title, startMs, idleMib, steady, afterMib }) => [
      title,
      ...[(startMs ?? NaN) / 1000].map((seconds) => seconds.toFixed(2)),
      ...[idleMib, steady, afterMib].map((mib) => (mib === undefined ? '' : mib.toFixed(0))),
    ]);
  if (rows.length === 0) return '';
  const text =
    'Start-up is the time until the port accepts connections. Steady is the median after each measurement, after is five seconds after the last one.';
  return `## Start-up and memory\n\n${text}\n\n${table(['gateway', 'start-up s', 'RSS idle MiB', 'steady', 'after'], rows)}`;
}

/** What the load generator and the provider can do together, which is more than any gateway needs, or it is marked. */
function loadSection(results, works) {
  if (!results.gateways.includes('direct')) return '';
  const rows = works.flatMap((work) =>
    results.connections.flatMap((connections) => {
      const cell = results.cell('direct', work.name, connections);
      return cell === undefined
        ? []
        : [[work.title, connections, spread(cell.rate, 0), figure(cell.framesPerSecond, 0)]];
    }),
  );
  return `## The load generator\n\nWithout a gateway, the load generator and the mock provider do this on the core that they share. In a row marked \`†\` they were busy for more than 95 % of the time and the gateway for less, so the gateway may be faster than the row says; its CPU time per call is right all the same.\n\n${table(['work', 'connections', 'calls/s', 'frames/s'], rows)}`;
}

function leftOutSection(state, works) {
  const titleOf = (name) => works.find((work) => work.name === name)?.title ?? name;
  const lines = [
    ...Object.entries(state.missing).map(([title, reason]) => `- ${title}: ${reason}.`),
    ...Object.entries(state.excluded).map(([pair, reason]) => {
      const [gateway, work] = pair.split('/');
      return `- ${state.processes[gateway].title}, "${titleOf(work)}": ${reason}.`;
    }),
  ];
  return lines.length === 0 ? '' : `## Left out\n\n${lines.join('\n')}`;
}

function figure(summary, digits) {
  return summary === undefined ? '' : summary.median.toFixed(digits);
}

function spread(summary, digits) {
  if (summary === undefined) return '';
  const text = summary.median.toFixed(digits);
  return summary.count === 1
    ? text
    : `${text} (${summary.low.toFixed(digits)}–${summary.high.toFixed(digits)})`;
}
