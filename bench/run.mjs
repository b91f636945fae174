// `npm run bench`: installs what is compared if it is missing, builds Tenkey, and runs the bench (bench.mjs).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { help, parseOptions } from './options.mjs';

const folder = import.meta.dirname;
const stampFile = join(folder, 'node_modules/.lockfile-sha256');

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(help);
  } else {
    if (process.platform !== 'linux')
      throw new Error('The bench reads /proc and uses taskset, so it needs Linux.');
    install();
    run([process.execPath, join(folder, '../scripts/run.cjs'), '--build-only']);
    // Imported only now, because it needs the packages.
    const { runBench } = await import('./bench.mjs');
    await runBench(options);
  }
} catch (error) {
  const isUsage = error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(isUsage ? `${error.message}\nnpm run bench -- --help lists the options.` : error.message);
  process.exitCode = 1;
}

/** The packages are a separate installation, so that the product never depends on one of them. */
function install() {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(folder, file)));
  const expected = hash.digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === expected) return;
  console.log('Installing the packages of the bench (npm ci in bench/).');
  // When npm runs this script, npm_execpath names npm's own file.
  const npm = process.env.npm_execpath;
  const command = npm === undefined ? ['npm'] : [process.execPath, npm];
  // `--prefix` overrides what npm passes on for the surrounding project.
  run([...command, 'ci', '--prefix', folder, '--no-audit', '--no-fund']);
  writeFileSync(stampFile, expected);
}

function run([command, ...args]) {
  const { status, error } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw error ?? new Error(`${args.join(' ')} failed.`);
}
