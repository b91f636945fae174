const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

/** What is wrong with a row of the table, in words; undefined: nothing. */
function wrongWith({ fault, reached, lost, wrong }) {
  if (reached === 0) return `the fault never occurred: ${fault}`;
  return lost + wrong > 0 ? `${lost} lost and ${wrong} wrong: ${fault}` : undefined;
}

function tableOf(rows) {
  const lines = rows.map(({ fault, reached, lost, wrong, slowestMs }) => [
    fault,
    ...[reached, lost, wrong, `${slowestMs} ms`].map(String),
  ]);
  const table = [['fault', 'reached', 'lost', 'wrong', 'slowest'], ...lines];
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)));
  return table
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  '),
    )
    .join('\n');
}

/**
 * A reporter of jest: prints what each fault did (fault-rows.ts) at the end of a run, and lets the run fail if a fault did not
 * occur, or if something was lost or wrong.
 */
module.exports = class FaultTable {
  #folder;
  #error;

  /** The environment is passed on to the processes that run the tests. */
  onRunStart() {
    this.#folder = mkdtempSync(join(tmpdir(), 'tenkey-fault-rows-'));
    process.env.TENKEY_FAULT_ROWS = join(this.#folder, 'rows');
    writeFileSync(process.env.TENKEY_FAULT_ROWS, '');
  }

  onRunComplete() {
    const lines = readFileSync(process.env.TENKEY_FAULT_ROWS, 'utf8').split('\n').filter(Boolean);
    rmSync(this.#folder, { recursive: true });
    const rows = lines.map((line) => JSON.parse(line)).sort((a, b) => a.fault.localeCompare(b.fault));
    if (rows.length === 0) return;
    const found = rows.map(wrongWith).filter(Boolean);
    process.stderr.write(`\n${[tableOf(rows), ...found].join('\n')}\n`);
    // jest does not print the error.
    if (found.length > 0) this.#error = new Error(found.join('\n'));
  }

  getLastError() {
    return this.#error;
  }
};
