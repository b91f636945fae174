// Starts and stops the processes that are measured.
import { fork, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 15_000;

/** Starts a program on one core, and waits until it accepts connections. Its output goes to a file. */
export async function startPinned({ core, command, args, env = {}, cwd, logFile, port }) {
  const started = performance.now();
  const log = openSync(logFile, 'a');
  // Only PATH and HOME are passed on, so that no setting of the person who runs the bench changes what is measured.
  const child = spawn('taskset', ['-c', String(core), command, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let failure;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', (code, signal) => (failure ??= `it exited with ${signal ?? `code ${code}`}`));
  while (!(await accepts(port))) {
    if (failure === undefined && performance.now() - started > START_LIMIT_MS)
      failure = 'it did not listen in time';
    if (failure !== undefined) {
      child.kill('SIGKILL');
      throw new Error(`${failure}; its output is in ${logFile}`);
    }
    await sleep(10);
  }
  return {
    // taskset replaces itself with the program, so this is the program's own process.
    pid: child.pid,
    startMs: performance.now() - started,
    exited: () => child.exitCode !== null || child.signalCode !== null,
    stop: () => stop(child),
  };
}

/** Starts one of the bench's own processes, which stays on the cores of this one, and waits for its first message. */
export async function startHelper(file, args = []) {
  const child = fork(file, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const first = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error(`${file} did not start`)));
  });
  return { child, first, pid: child.pid, stop: () => stop(child) };
}

export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** The path of a program, or undefined if it is not installed. */
export function which(name) {
  // Debian keeps daemons in sbin, which is not on the PATH of every user.
  const PATH = `${process.env.PATH}:/usr/local/sbin:/usr/sbin`;
  const { stdout } = spawnSync('sh', ['-c', 'command -v "$0"', name], { env: { PATH }, encoding: 'utf8' });
  return stdout.trim() || undefined;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}
