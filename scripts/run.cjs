// Builds if the sources have changed since the last build, then runs a compiled entry:
//   node scripts/run.cjs apps/api/main.js [arguments]
//   node scripts/run.cjs --build-only
// In production an entry is never built: it must start in a container that is read-only, and without a compiler.
// The entry runs in this process, so that it gets the signals and sets the exit code.
const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const dist = path.join(root, 'dist');
const stampFile = path.join(dist, '.stamp');
const compiler = path.join(root, 'node_modules/@nestjs/cli/bin/nest.js');

const LOCK_STALE_MS = 60_000;
const LOCK_RETRY_MS = 500;
const LOCK_WAIT_MS = 5 * 60_000;
const PROGRESS_MS = 5000;
/** Levels of the log. */
const [INFO, WARN, FATAL] = [30, 40, 60];

main().catch((error) => {
  say(FATAL, error.message);
  // The code of a command that could not finish (apps/cli/command-line.ts); 1 would mean that it found a fault.
  process.exitCode = 3;
});

async function main() {
  const [target, ...args] = process.argv.slice(2);
  if (target === undefined) throw new Error('usage: node scripts/run.cjs <entry in dist/> | --build-only');
  const entry = target === '--build-only' ? undefined : path.join(dist, target);

  if (entry !== undefined && isProduction()) {
    if (!fs.existsSync(entry))
      throw new Error('Tenkey is not built. Run `npm run build`, then start it again.');
    if (fs.existsSync(path.join(root, 'apps/api/main.ts')) && !isFresh())
      say(
        WARN,
        'The sources have changed since the build, which is started as it is. `npm run build` builds them.',
      );
  } else if (fs.existsSync(compiler)) {
    if (!isFresh()) await buildUnderLock();
  } else if (!fs.existsSync(entry ?? dist)) {
    throw new Error('dist/ is missing, and so is the compiler. Run `npm ci`, then try again.');
  }
  if (entry === undefined) return;
  if (!fs.existsSync(entry)) throw new Error(`No such entry: ${path.relative(root, entry)}`);
  process.argv = [process.argv[0], entry, ...args];
  if (process.env.npm_lifecycle_event !== undefined) stopWithNpm();
  require(entry);
}

/** As the settings read it: a variable of the process wins over `.env`. */
function isProduction() {
  const { NODE_ENV = envFile().NODE_ENV } = process.env;
  return NODE_ENV?.trim() === 'production';
}

function envFile() {
  try {
    return require('dotenv').parse(fs.readFileSync('.env'));
  } catch {
    return {};
  }
}

/** The service's output is its log, which has a format of its own unless it is a terminal. */
function say(level, message) {
  const isLog = process.argv[2] === 'apps/api/main.js' && !process.stdout.isTTY;
  if (isLog) console.log(JSON.stringify({ level, time: new Date().toISOString(), msg: message }));
  else console.error(message);
}

/** At a signal, npm stops only the shell between npm and this process, which would then keep running without its parent. */
function stopWithNpm() {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 500);
  timer.unref();
}

function isFresh() {
  return fs.existsSync(stampFile) && fs.readFileSync(stampFile, 'utf8') === sourceHash();
}

/** SHA-256 over the name and content of everything that the build reads. */
function sourceHash() {
  const files = [
    ...['apps', 'libs', 'test/demo'].flatMap((folder) => sourceFiles(folder, true)),
    ...['test/support', 'test/clients-python']
      .flatMap((folder) => sourceFiles(folder, false))
      .filter((file) => file.endsWith('.ts')),
    ...fs.readdirSync(root).filter((name) => /^tsconfig.*\.json$/.test(name)),
    ...[
      'entities.ts',
      'ormconfig.ts',
      'package.json',
      'package-lock.json',
      'nest-cli.json',
      'apps/console/build.cjs',
    ].filter((name) => fs.existsSync(path.join(root, name))),
  ].sort();
  const hash = createHash('sha256');
  for (const file of files) {
    const content = fs.readFileSync(path.join(root, file));
    hash.update(`${file.split(path.sep).join('/')}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function sourceFiles(folder, recursive) {
  const absolute = path.join(root, folder);
  if (!fs.existsSync(absolute)) return [];
  return fs.readdirSync(absolute, { withFileTypes: true }).flatMap((item) => {
    const name = path.join(folder, item.name);
    if (item.isDirectory()) return recursive && item.name !== 'node_modules' ? sourceFiles(name, true) : [];
    return /\.(tsx?|json|css|html|svg)$/.test(item.name) && !item.name.endsWith('.spec.ts') ? [name] : [];
  });
}

async function buildUnderLock() {
  const release = await lockProject();
  try {
    if (isFresh()) return; // Another process has built it.
    const reason = fs.existsSync(stampFile) ? 'The sources have changed' : 'This is the first start';
    say(INFO, `${reason}: compiling Tenkey, which takes about half a minute on two cores.`);
    const started = Date.now();
    const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
    const progress = setInterval(() => say(INFO, `compiling since ${seconds()}`), PROGRESS_MS);
    // The hash is computed before the build, so that a file that is saved during the build causes another one.
    const hash = sourceHash();
    // A build that fails leaves dist/ incomplete, and the old stamp must not declare it up to date.
    fs.rmSync(stampFile, { force: true });
    // The output of a deleted source could take precedence over the one that replaces it.
    for (const folder of ['apps', 'libs', 'test', 'console'])
      fs.rmSync(path.join(dist, folder), { recursive: true, force: true });
    await build().finally(() => clearInterval(progress));
    say(INFO, `compiled in ${seconds()}`);
    // `npx tenkey` executes the file, and the compiler makes no file executable.
    for (const file of Object.values(require('../package.json').bin))
      fs.chmodSync(path.join(root, file), 0o755);
    fs.writeFileSync(stampFile, hash);
  } finally {
    await release();
  }
}

async function lockProject() {
  const { lock } = require('proper-lockfile');
  fs.mkdirSync(dist, { recursive: true });
  // The lock is inside the project, because the parent folder may not be writable.
  const options = { lockfilePath: path.join(dist, '.lock'), stale: LOCK_STALE_MS };
  try {
    return await lock(root, options);
  } catch (error) {
    if (error.code !== 'ELOCKED') throw error;
  }
  say(INFO, 'waiting for another build to finish');
  const retries = {
    retries: LOCK_WAIT_MS / LOCK_RETRY_MS,
    factor: 1,
    minTimeout: LOCK_RETRY_MS,
    maxTimeout: LOCK_RETRY_MS,
  };
  return lock(root, { ...options, retries }).catch((error) => {
    throw error.code === 'ELOCKED' ? new Error('The other build did not finish within five minutes.') : error;
  });
}

/** The service and the console, together. */
async function build() {
  const started = [[compiler, 'build', 'api'], [path.join(root, 'apps/console/build.cjs')]].map(runNode);
  // Both are awaited, also when one fails: the lock must be held as long as something writes to dist/.
  const results = await Promise.allSettled(started);
  for (const { status, reason } of results) if (status === 'rejected') throw reason;
}

/** Asynchronous, because a timer renews the lock. The compiler writes to stderr, because stdout belongs to the entry. */
function runNode(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const forward = (signal) => child.kill(signal);
    for (const signal of signals) process.on(signal, forward);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      if (code === 0) resolve();
      else reject(new Error(signal ? `The build was stopped (${signal}).` : 'The build failed.'));
    });
  });
}
