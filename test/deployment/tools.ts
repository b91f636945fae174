import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const lockFile = join(__dirname, 'requirements.txt');
const venv = join(__dirname, '.venv');
const stampFile = join(venv, '.lockfile-sha256');

/** How a program ended, and what it printed on both streams. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

export function run(program: string, ...args: string[]): Promise<Ended> {
  return new Promise((done, fail) => {
    execFile(program, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      // A program that cannot be started has a code of the system instead of an exit code.
      if (error !== null && typeof error.code === 'string') fail(new Error(`${program}: ${error.code}`));
      else done({ code: (error?.code as number | undefined) ?? 0, output: stdout + stderr });
    });
  });
}

/** Runs hadolint, helm or kubernetes-validate, which are installed into .venv from the lock file of this folder. */
export async function runTool(name: string, ...args: string[]): Promise<Ended> {
  await (installed ??= install());
  return run(join(venv, 'bin', name), ...args);
}

let installed: Promise<void> | undefined;

/** The stamp is written last, so an installation that is interrupted is repeated. */
async function install(): Promise<void> {
  const hash = createHash('sha256').update(readFileSync(lockFile)).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash) return;
  rmSync(venv, { recursive: true, force: true });
  await mustRun('python3', '-m', 'venv', venv);
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:', '--require-hashes'];
  await mustRun(join(venv, 'bin/python'), '-m', 'pip', 'install', ...options, '--requirement', lockFile);
  writeFileSync(stampFile, hash);
}

async function mustRun(program: string, ...args: string[]): Promise<void> {
  const { code, output } = await run(program, ...args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${code}: ${output}`);
}
