import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadConfig } from '#config';
import { parse } from 'dotenv';

const run = promisify(execFile);
const cli = (...args: string[]) =>
  run(process.execPath, [join(__dirname, '../scripts/run.cjs'), 'apps/cli/main.js', ...args], {
    // Run in another folder and with no settings: the key is generated before the service is configured.
    cwd: tmpdir(),
    env: { PATH: process.env.PATH },
  });

describe('generate-encryption-key', () => {
  it('prints a line for .env that the service accepts, with another key each time', async () => {
    const printed = [await cli('generate-encryption-key'), await cli('generate-encryption-key')];
    const keys = printed.map(({ stdout }) => {
      expect(stdout).toMatch(/^ENCRYPTION_KEY=[\w-]{43}=\n$/);
      const { ENCRYPTION_KEY } = parse(stdout);
      loadConfig({
        ENCRYPTION_KEY,
        INTRIC_SUPER_API_KEY: 'a-super-key-of-enough-length',
        PLATFORM_API_KEY: 'a-platform-key-of-enough-length',
      });
      return ENCRYPTION_KEY;
    });
    expect(keys[0]).not.toBe(keys[1]);
  }, 120_000);

  it('is listed in the help, and an unknown command fails', async () => {
    expect((await cli('--help')).stdout).toContain('generate-encryption-key');
    await expect(cli('generate-nothing')).rejects.toMatchObject({ code: 2 });
  }, 120_000);
});
