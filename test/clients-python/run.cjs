// Runs the tests of this folder with the Python clients that applications use:
//   node test/clients-python/run.cjs [arguments of pytest]
// The clients are installed into .venv, from this folder's lock file, when they are missing or the lock file has changed.
const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const MINIMUM = [3, 11];
const lockFile = path.join(__dirname, 'requirements.txt');
const venv = path.join(__dirname, '.venv');
const stampFile = path.join(venv, '.lockfile-sha256');
const python = path.join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');

main();

function main() {
  const hash = createHash('sha256').update(fs.readFileSync(lockFile)).digest('hex');
  if (!fs.existsSync(stampFile) || fs.readFileSync(stampFile, 'utf8') !== hash) install(hash);
  run(python, '-m', 'ruff', 'check', '--quiet', '.');
  run(python, '-m', 'ruff', 'format', '--check', '--quiet', '.');
  run(python, '-m', 'pytest', ...process.argv.slice(2));
}

/** The stamp is written last, so an installation that is interrupted is repeated. */
function install(hash) {
  const systemPython = findPython();
  fs.rmSync(venv, { recursive: true, force: true });
  console.log('Installing the Python clients into test/clients-python/.venv, about 400 MB');
  run(systemPython, '-m', 'venv', venv);
  const options = ['--quiet', '--disable-pip-version-check', '--no-compile', '--only-binary=:all:'];
  run(python, '-m', 'pip', 'install', ...options, '--require-hashes', '--requirement', lockFile);
  fs.writeFileSync(stampFile, hash);
}

function findPython() {
  const wanted = `Python ${MINIMUM.join('.')} or newer with the module venv`;
  const fix = 'on Debian and Ubuntu: apt-get install python3 python3-venv';
  // Debian's python3 has the module venv, but not ensurepip, which it needs.
  const check = `import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (${MINIMUM}) else 3)`;
  for (const name of ['python3', 'python']) {
    if (spawnSync(name, ['-c', check]).status === 0) return name;
  }
  console.error(`These tests need ${wanted} (${fix}).`);
  return process.exit(1);
}

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { cwd: __dirname, stdio: 'inherit' });
  if (error !== undefined) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}
