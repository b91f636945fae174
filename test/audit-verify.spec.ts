import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { encryptionKey, platformKey, startTestApp, superKey, type TestApp } from './support/app';

const root = join(__dirname, '..');

describe('npm run cli -- audit verify', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp();
    for (let each = 0; each < 5; each++) await test.createTenant();
  });
  afterAll(() => test.close());

  function run(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { PATH = '', HOME = '' } = process.env;
    const env = {
      PATH,
      HOME,
      DATABASE_URL: test.databaseUrl,
      INTRIC_SUPER_API_KEY: superKey,
      PLATFORM_API_KEY: platformKey,
      ENCRYPTION_KEY: encryptionKey,
    };
    return new Promise((done) => {
      const child = execFile(
        'npm',
        ['run', '--silent', 'cli', '--', 'audit', ...words],
        { cwd: root, env },
        (_error, stdout, stderr) => done({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });
  }

  it('says that all fits, and prints the head to keep', async () => {
    const { code, stdout } = await run('verify');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^5 events, 0 faults\nhead 5:[\w-]{43}\n$/)]);
    const head = /head (\S+)/.exec(stdout)![1]!;
    expect((await run('verify', '--head', head)).code).toBe(0);
    const other = await run('verify', '--head', `4:${'x'.repeat(43)}`, '--json');
    expect([other.code, JSON.parse(other.stdout)]).toMatchObject([
      1,
      { events: 5, head, faults: [{ seq: '4', fault: 'the given head is not in the chain' }] },
    ]);
  }, 180_000);

  it('names the event that was edited and ends with 1', async () => {
    await test.database.query('alter table audit_events disable trigger all');
    await test.database.query(`update audit_events set actor = 'nobody' where seq = 2`);
    const { code, stdout } = await run('verify');
    expect(code).toBe(1);
    expect(stdout).toContain('event 2: was changed or moved');
    expect(stdout).toContain('5 events, 1 fault\n');
  }, 60_000);

  it('ends with 2 for wrong usage, with the help', async () => {
    for (const words of [[], ['verify', 'all'], ['verify', '--head', 'x'], ['verify', '--no-such']]) {
      const { code, stderr } = await run(...words);
      expect([words, code]).toEqual([words, 2]);
      expect(stderr).toContain('error:');
    }
  }, 60_000);
});
