// Checks everything besides the tests. Two steps run at a time; only a failing step shows its output.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const cache = 'node_modules/.cache';

/** Slowest first, so that both lanes finish at about the same time. A command is a file, relative to node_modules, and its arguments. */
const steps = [
  { name: 'lint', run: () => command('eslint/bin/eslint.js', '.', '--max-warnings', '0') },
  {
    name: 'types',
    run: () =>
      command(
        'typescript/bin/tsc',
        '--noEmit',
        '--incremental',
        '--tsBuildInfoFile',
        `${cache}/check.tsbuildinfo`,
      ),
  },
  { name: 'format', run: () => command('prettier/bin/prettier.cjs', '--check', '--cache', '.') },
  {
    name: 'dependencies',
    run: () =>
      command(
        'dependency-cruiser/bin/dependency-cruise.mjs',
        ...['apps', 'libs', 'test'].filter((folder) => fs.existsSync(path.join(root, folder))),
        '--config',
        '.dependency-cruiser.cjs',
      ),
  },
  { name: 'unused', run: () => command('knip/bin/knip.js', '--no-progress') },
  { name: 'sources', run: () => command('../scripts/source-rules.cjs') },
];

void main();

async function main() {
  let failed = false;
  const waiting = [...steps];
  const lane = async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const start = Date.now();
      const { ok, output } = await step.run();
      failed ||= !ok;
      console.log(
        `${ok ? 'ok    ' : 'FAILED'} ${step.name.padEnd(13)} ${((Date.now() - start) / 1000).toFixed(1)} s`,
      );
      if (!ok) console.log(output.trimEnd());
    }
  };
  await Promise.all([lane(), lane()]);
  process.exitCode = failed ? 1 : 0;
}

function command(file, ...args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join('node_modules', file), ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}
