import { describeWithApp } from './support/app';
import { runCli, runCliProcess } from './support/cli';

describeWithApp('npx tenkey audit verify', (tenkey) => {
  beforeAll(async () => {
    for (let each = 0; each < 5; each++) await tenkey.createTenant();
  });

  const run = (...words: string[]) => runCli({ DATABASE_URL: tenkey.databaseUrl }, 'audit', ...words);

  it('finds no fault in an untouched chain, and prints its head', async () => {
    const { code, stdout } = await run('verify');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^5 events, 0 of them recorded without ENCRYPTION_KEY, 0 faults\nhead 5:[\w-]{43}\n$/,
      ),
    ]);
    const head = /head (\S+)/.exec(stdout)![1]!;
    expect((await run('verify', '--head', head)).code).toBe(0);
    const other = await run('verify', '--head', `4:${'x'.repeat(43)}`, '--json');
    expect([other.code, JSON.parse(other.stdout)]).toMatchObject([
      1,
      { events: 5, plain: 0, head, faults: [{ seq: '4', fault: 'the given head is not in the chain' }] },
    ]);
  }, 180_000);

  it('names the event that was edited, and exits with 1', async () => {
    await tenkey.database.query('alter table audit_events disable trigger all');
    await tenkey.database.query(`update audit_events set actor = 'nobody' where seq = 2`);
    const { code, stdout } = await runCliProcess({ DATABASE_URL: tenkey.databaseUrl }, 'audit', 'verify');
    expect(code).toBe(1);
    expect(stdout).toContain('event 2: was changed or moved');
    expect(stdout).toContain('5 events, 0 of them recorded without ENCRYPTION_KEY, 1 fault\n');
  }, 60_000);

  it('exits with 3, not 1, when the chain could not be read', async () => {
    const env = { DATABASE_URL: 'postgresql://tenkey@127.0.0.1:1/tenkey' };
    const { code, stdout, stderr } = await runCliProcess(env, 'audit', 'verify');
    expect([code, stdout, stderr]).toEqual([
      3,
      '',
      'error: the database is unavailable: ECONNREFUSED. Check that the server runs, that the host and port in DATABASE_URL are right, and that no firewall blocks the connection.\n',
    ]);
  }, 60_000);

  it('exits with 2 and prints the help for wrong usage', async () => {
    for (const words of [[], ['verify', 'all'], ['verify', '--head', 'x'], ['verify', '--no-such']]) {
      const { code, stderr } = await run(...words);
      expect([words, code]).toEqual([words, 2]);
      expect(stderr).toContain('error:');
      expect(stderr).toContain('Usage: tenkey audit');
    }
  }, 60_000);
});
