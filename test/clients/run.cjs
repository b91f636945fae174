// Runs the specs of this folder with the clients that applications use:
//   node test/clients/run.cjs [arguments of jest]
// The clients are a package of their own, so that only who runs these specs installs them: when they are absent, and
// when the lockfile has changed since. The specs are checked first, because `npm run check` knows no types of clients.
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

/** `npm ci` empties node_modules first, the stamp with it: one that breaks off is done again. */
function install() {
  const hash = lockfileHash();
  // Run by npm, its own file is known; a name would need a shell on Windows.
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm === undefined ? ['npm'] : [process.execPath, npm];
  // Whatever npm was told about the project around this one is not for this one.
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
