import { spawn, type SpawnOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 20_000;

/** A server program of Debian that runs in the foreground. */
export interface Program {
  /** What it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/**
 * Starts a program and waits until it is ready.
 * @param debianPackage the package that a machine without the program must install
 * @throws Error with what the program has printed, when it exits or is not ready in time
 */
export async function startProgram(
  path: string,
  args: readonly string[],
  debianPackage: string,
  isReady: () => Promise<boolean>,
  options: Pick<SpawnOptions, 'uid' | 'gid' | 'cwd' | 'env'> = {},
): Promise<Program> {
  if (!existsSync(path)) throw new Error(`${path} is missing: apt-get install ${debianPackage}`);
  const child = spawn(path, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => (output += part.toString()));
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(timer);
  };
  const deadline = Date.now() + START_MS;
  while (!(await isReady())) {
    if (child.exitCode === null && Date.now() < deadline) {
      await sleep(50);
      continue;
    }
    await stop();
    throw new Error(`${path} did not start: ${output}`);
  }
  return { output: () => output, stop };
}

/** How many ports a worker of jest has for itself. */
const PORTS = 1000;
/** Below those that the system gives out, so that no other program gets one before it is used. */
const firstPort = 20_000 + PORTS * Number(process.env.JEST_WORKER_ID ?? 0);
// Two runs on one machine rarely begin at the same one.
let next = Math.floor(Math.random() * PORTS);

/** A port of the loopback address that nothing listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = firstPort + (next++ % PORTS);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((done) => server.close(done));
    return port;
  }
}
