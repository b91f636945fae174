import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(__dirname, '..');

/** @returns what it printed; rejects when it exits with anything but 0 */
async function demo(temporary: string): Promise<string> {
  const run = promisify(execFile)(process.execPath, ['scripts/run.cjs', 'test/demo/main.js'], {
    cwd: root,
    timeout: 120_000,
    env: { ...process.env, TMPDIR: temporary },
  });
  const { stdout, stderr } = await run;
  return stdout + stderr;
}

describe('npm run demo', () => {
  it('runs to its end, even twice at once, shows no whole key, and leaves nothing behind', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'demo-'));
    try {
      await chmod(temporary, 0o755);
      for (const output of await Promise.all([demo(temporary), demo(temporary)])) {
        expect(output).toMatch(
          /sundsvall: the provider saw (\.\.\..{4}); x-tenkey-credential: openai\/\1\/v\d/,
        );
        expect(output).toMatch(/ange: the provider saw (\.\.\..{4}); x-tenkey-credential: openai\/\1\/v\d/);
        expect(output).toContain('echo: Good morning');
        expect(output).toContain('streamed: echo: Good morning, Claude');
        expect(output).toMatch(/the provider saw POST \/v1\/messages with \.\.\..{4}/);
        expect(output).toContain('424 credential_not_configured');
        expect(output).toContain('calls the provider recorded: 0');
        expect(output).toMatch(/"masked_key": "\.\.\..{4}"/);
        expect(output).toContain('enc:fernet:v1:gAAAA');
        expect(output).toMatch(/424 credential_tampered\n.*\n\s+calls the provider recorded: 0/);
        expect(output).toMatch(/the client got: +You sent \*{20,}\./);
        expect(output).toContain('The demo succeeded.');
        // No key of a tenant, no API key, no encryption key, and no complete sealed token.
        expect(output).not.toMatch(/not-a-real-key|[0-9a-f]{48}|[\w-]{43}=|gAAAA[\w-]{60}/);
      }
      expect(await readdir(temporary)).toEqual([]);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }, 150_000);
});
