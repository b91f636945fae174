import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

describe('npm run demo', () => {
  it('tells the story and ends by itself', async () => {
    const script = join(__dirname, '..', 'scripts', 'run.cjs');
    const { stdout } = await promisify(execFile)(process.execPath, [script, 'test/demo/main.js'], {
      cwd: join(__dirname, '..'),
      timeout: 150_000,
    });
    expect(stdout).toContain('credential_not_configured');
    expect(stdout).toContain('enc:fernet:v1:gAAAA');
    expect(stdout).toContain('The demo went as told.');
    expect(stdout).not.toContain('not-a-real-key');
  }, 180_000);
});
