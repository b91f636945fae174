import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encryptionKey, platformKey, superKey } from './app';

type Env = Readonly<Record<string, string | undefined>>;
interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const root = join(__dirname, '../..');
let host: ChildProcess | undefined;
let lastId = 0;

// Not in the time of a test: a build takes long on a busy machine.
beforeAll(build, 240_000);
afterAll(() => host?.kill());

/**
 * Runs what `npx tenkey <words>` runs. All commands of a spec file run in one process, one after the other, because a
 * process of its own takes two seconds; see cli-host.cjs. `env` overrides the usual settings, and `undefined` removes one.
 */
export async function runCli(env: Env, ...words: readonly string[]): Promise<Result> {
  const running = (host ??= fork(join(__dirname, 'cli-host.cjs'), {
    cwd: root,
    // Never the terminal that jest runs on: a command would wait there for answers, and cut its tables.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  }));
  return new Promise((done, fail) => {
    const ended = () => fail(new Error('the process that runs the commands has ended'));
    const id = (lastId += 1);
    // A test that timed out did not wait for its command, whose result must not be taken for that of the next one.
    const take = ({ id: of, ...result }: Result & { id: number }) => {
      if (of !== id) return;
      running.off('exit', ended);
      running.off('message', take);
      done(result);
    };
    running.once('exit', ended);
    running.on('message', take);
    running.send({ id, words, env: withUsual(env) });
  });
}

/** The same in a process of its own: each command has a test that the process ends, with its exit code and all its output. */
export async function runCliProcess(env: Env, ...words: readonly string[]): Promise<Result> {
  return runCliWithInput('', env, ...words);
}

/** The same with text at its standard input. */
export async function runCliWithInput(input: string, env: Env, ...words: readonly string[]): Promise<Result> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      ['dist/apps/cli/main.js', ...words],
      { cwd: root, env: withUsual(env) },
      (_error, stdout, stderr) => done({ code: child.exitCode ?? -1, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

/** A command in a process of its own that runs on, with its output as a pipe. */
export function startCliProcess(env: Env, ...words: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['dist/apps/cli/main.js', ...words], {
    cwd: root,
    env: withUsual(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Whether dist/ is up to date is checked once for each spec file, not for each command. */
async function build(): Promise<void> {
  await promisify(execFile)(process.execPath, ['scripts/run.cjs', '--build-only'], { cwd: root });
}

function withUsual(env: Env): Env {
  const { PATH, HOME } = process.env;
  return {
    PATH,
    HOME,
    INTRIC_SUPER_API_KEY: superKey,
    PLATFORM_API_KEY: platformKey,
    ENCRYPTION_KEY: encryptionKey,
    ...env,
  };
}

const script = '/usr/bin/script';
export const hasTerminals = process.platform === 'linux' && existsSync(script);

/**
 * Runs a command on a terminal of 60 columns.
 * @param answer typed as soon as `question` is shown
 */
export async function runCliOnTerminal(
  env: Env,
  words: readonly string[],
  question?: string,
  answer = '',
): Promise<{ readonly code: number; readonly shown: string }> {
  const command = [process.execPath, 'dist/apps/cli/main.js', ...words].map((word) => `'${word}'`).join(' ');
  const child = spawn(script, ['-qec', `stty cols 60; exec ${command}`, '/dev/null'], {
    cwd: root,
    env: { TERM: 'xterm-256color', ...withUsual(env) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let isAnswered = question === undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (isAnswered || !shown.includes(question ?? '')) return;
    isAnswered = true;
    child.stdin.write(answer);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, shown };
}
