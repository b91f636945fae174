import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '../..');

/** Builds dist/ if it is not up to date. @returns the folder of the console */
export async function builtConsole(): Promise<string> {
  await promisify(execFile)(process.execPath, ['scripts/run.cjs', '--build-only'], { cwd: root });
  return join(root, 'dist/console');
}
