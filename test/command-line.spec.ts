import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

  it('goes on with a change when what reads its output stops early', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tenkey-broken-pipe-'));
    writeFileSync(
      join(folder, 'config.yaml'),
      'model_list: [{ model_name: a, litellm_params: { model: openai/a } }]\n',
    );
    const child = spawn(
      process.execPath,
      [join(root, 'dist/apps/cli/main.js'), 'import', 'litellm', 'config.yaml', '--out', 'models.yml'],
      { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    child.stdout.destroy();
    await once(child, 'close');
    expect(existsSync(join(folder, 'models.yml'))).toBe(true);
    rmSync(folder, { recursive: true });
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
