import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCliProcess } from './support/cli';

const root = join(__dirname, '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

describe('the command line', () => {
  it('says its version', async () => {
    expect(await runCliProcess({}, '--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('runs as npx tenkey in a built clone', async () => {
    const { stdout } = await promisify(execFile)('npx', ['--no', '--', 'tenkey', '--version'], { cwd: root });
    expect(stdout).toBe(`${version}\n`);
  });

  it('ends without an error when what reads its output stops early, as head does', async () => {
    const child = spawn(process.execPath, ['dist/apps/cli/main.js', '--help'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let errors = '';
    child.stderr.on('data', (part: Buffer) => (errors += part.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    expect([code, errors]).toEqual([0, '']);
  });
});
