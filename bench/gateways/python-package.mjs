import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const INSTALL_LIMIT_MS = 10 * 60_000;

/**
 * Installs a package of PyPI into a virtual environment of its own, and returns the folder of its programs. Each package
 * has one because their dependencies contradict each other.
 */
export function installPythonPackage(requirement, folder) {
  const programs = join(folder, 'bin');
  const stamp = join(folder, '.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === requirement) return programs;
  console.log(`Installing ${requirement} from PyPI`);
  rmSync(folder, { recursive: true, force: true });
  try {
    run('python3', ['-m', 'venv', folder]);
    run(join(programs, 'pip'), ['install', '--quiet', '--disable-pip-version-check', requirement]);
  } catch (error) {
    // The reason may name an index of this machine, which does not belong in a report.
    console.log(error.message);
    throw new Error(`python3 with pip could not install ${requirement}`);
  }
  writeFileSync(stamp, requirement);
  return programs;
}

function run(command, args) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
  if (status === 0) return;
  const lastLine = stderr?.trim().split('\n').at(-1);
  throw new Error(error?.message ?? lastLine ?? `${command} exited with ${status}`);
}
