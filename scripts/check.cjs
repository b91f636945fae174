// Everything that must hold besides the tests. Steps run two at a time; only a failing step shows its output.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const cache = 'node_modules/.cache';

/** Slowest first, so that the two lanes end at about the same time. A command is a file of node_modules and its arguments. */
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
  { name: 'environment', run: scanSources },
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

/** What no import betrays: the environment outside libs/config, and the global fetch outside libs/egress. */
async function scanSources() {
  const rules = [
    {
      pattern: /\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\[['"`]env|from ['"](node:)?process['"]/,
      exempt: /^(libs\/config\/|apps\/[^/]+\/main\.ts$)/,
      message: 'the environment is read only in libs/config',
    },
    {
      pattern: /(?<![.\w])fetch\s*\(|\bglobalThis\.fetch\b|\bnew (WebSocket|EventSource)\b/,
      exempt: /^libs\/egress\/|\.spec\.ts$/,
      message: 'outgoing requests are made only in libs/egress',
    },
  ];
  const faults = [];
  for (const file of ['apps', 'libs'].flatMap(typescriptFiles)) {
    const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n');
    for (const { pattern, exempt, message } of rules) {
      if (exempt.test(file)) continue;
      lines.forEach((line, index) => {
        const isComment = /^\s*(\/\/|\/?\*)/.test(line);
        if (!isComment && pattern.test(line)) faults.push(`${file}:${index + 1}: ${message}`);
      });
    }
  }
  return { ok: faults.length === 0, output: faults.join('\n') };
}

function typescriptFiles(folder) {
  if (!fs.existsSync(path.join(root, folder))) return [];
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((item) => {
    const name = `${folder}/${item.name}`;
    if (item.isDirectory()) return item.name === 'node_modules' ? [] : typescriptFiles(name);
    return /\.[cm]?tsx?$/.test(item.name) ? [name] : [];
  });
}
