import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encryptionKey, platformKey, superKey } from './app';

const root = join(__dirname, '../..');
let built: Promise<unknown> | undefined;

/**
 * Runs what `npm run cli -- <words>` runs. Whether dist/ is up to date is checked once for each spec file, not for each
 * command. `env` overrides the usual settings, and `undefined` removes one.
 */
export async function runCli(
  env: Readonly<Record<string, string | undefined>>,
  ...words: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  built ??= promisify(execFile)(process.execPath, ['scripts/run.cjs', '--build-only'], { cwd: root });
  await built;
  const { PATH, HOME } = process.env;
  const settings = {
    PATH,
    HOME,
    INTRIC_SUPER_API_KEY: superKey,
    PLATFORM_API_KEY: platformKey,
    ENCRYPTION_KEY: encryptionKey,
    ...env,
  };
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      ['dist/apps/cli/main.js', ...words],
      { cwd: root, env: settings },
      (_error, stdout, stderr) => done({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}
