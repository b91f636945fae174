// The sections of RESULTS.md about the further parts.

export function hostileSection({ hostile }) {
  if (hostile === undefined) return '';
  const rows = hostile.map((each) => [
    each.title,
    `${each.slowestHealthMs.toFixed(0)} ms`,
    each.failedHealth,
    each.rssBeforeMib.toFixed(0),
    each.peakRssMib.toFixed(0),
    each.crashed ? '**yes**' : 'no',
    `${each.seconds.toFixed(1)} s`,
    Object.entries(each.answers)
      .map(([answer, count]) => `${count} × ${answer}`)
      .join(', '),
  ]);
  const head = [
    'request',
    'slowest /health',
    'failed /health',
    'RSS before MiB',
    'RSS peak',
    'process ended',
    'took',
    'answers',
  ];
  return `## Hostile bodies\n\nTen bodies of 31 MiB at once, each with ten million empty objects in \`messages\`. Meanwhile \`/health\` is asked every 50 ms.\n\n${table(head, rows)}`;
}

export function growthSection({ growth, puts }) {
  const parts = [];
  if (growth !== undefined) {
    const ms = (value) => value.toFixed(2);
    const rows = growth.map((row) => [
      row.tenants.toLocaleString('en'),
      ...[row.call, row.callWithoutCache, row.listCredentials, row.listTenants].map(ms),
    ]);
    parts.push(
      'Medians in ms, with one connection. A call without a cache reads the key, the tenant and the credential from the database.',
      table(['tenants', 'call', 'call without a cache', 'list credentials', 'list tenants'], rows),
    );
  }
  if (puts !== undefined) {
    const rows = puts.map(({ processes, rate, p50, p99, failures }) => [
      processes,
      ...[rate.toFixed(0), p50?.toFixed(1) ?? '', p99?.toFixed(1) ?? ''],
      Object.values(failures).reduce((sum, count) => sum + count, 0),
    ]);
    parts.push(
      'PUT of a credential, 16 connections to 16 tenants. All processes share the one core, and each change waits until all of them have confirmed it.',
      table(['processes', 'PUT/s', 'p50 ms', 'p99 ms', 'failed'], rows),
    );
  }
  return parts.length === 0 ? '' : ['## Growth', ...parts].join('\n\n');
}

export function processesSection({ processCounts }) {
  if (processCounts === undefined) return '';
  const rows = processCounts.map(({ processes, waitedMs, changeCpuMs, idleCpuMsPerSecond }) => [
    processes,
    `${waitedMs.median} (${waitedMs.low}–${waitedMs.high})`,
    changeCpuMs,
    idleCpuMsPerSecond,
  ]);
  const head = ['processes', 'waited ms', 'database CPU ms per change', 'database CPU ms per second, idle'];
  return `## Many processes\n\nHow long a change waits until it is in force, and what that and the leases cost the database. The processes are simulated: each has the feed of changes of a real one, and they share one core, which takes most of the time with many of them.\n\n${table(head, rows)}`;
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line)].join(
    '\n',
  );
}
