// Runs the specs of this folder with the clients that applications use:
//   node test/clients/run.cjs [arguments of jest]
// The clients are a separate package, so that they are installed only to run these specs: when they are missing, or when
// the lockfile has changed. The types are checked first, because `npm run check` does not have the types of the clients.
const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '../..');
const specs = 'test/clients/*.ts';
const stampFile = path.join(__dirname, 'node_modules/.lockfile-sha256');

main();

function main() {
  if (!isInstalled()) install();
  node(path.join(root, 'node_modules/typescript/bin/tsc'), '-p', __dirname);
  node(path.join(root, 'node_modules/eslint/bin/eslint.js'), '--no-ignore', '--max-warnings', '0', specs);
  node(
    path.join(root, 'node_modules/jest/bin/jest.js'),
    '-c',
    'jest.clients.config.cjs',
    ...process.argv.slice(2),
  );
}

function isInstalled() {
  return fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === lockfileHash();
}

function lockfileHash() {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json']) {
    hash.update(fs.readFileSync(path.join(__dirname, file)));
  }
  return hash.digest('hex');
}

/** `npm ci` first empties node_modules, including the stamp, so an installation that is interrupted is repeated. */
function install() {
  const hash = lockfileHash();
  // When npm runs this script, npm_execpath names npm's own file. Starting `npm` by name would need a shell on Windows.
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm === undefined ? ['npm'] : [process.execPath, npm];
  // `--prefix` overrides what npm passes on for the surrounding project.
  run(command, [...args, 'ci', '--prefix', __dirname, '--no-audit', '--no-fund'], __dirname);
  fs.writeFileSync(stampFile, hash);
}

function node(...args) {
  run(process.execPath, args, root);
}

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (error !== undefined) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}
