import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { generateKey } from '#crypto';
import { createTestDatabase, type TestDatabase } from './support/postgres';

const root = join(__dirname, '..');

describe('npm start', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  function start(env: Record<string, string>): {
    child: ChildProcess;
    output: () => string;
    /** The lines of standard output from the first one of the log on. */
    logLines: () => string[];
    ended: Promise<number | null>;
  } {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn('npm', ['start'], { cwd: root, env: { PATH, HOME, PORT: '0', ...env } });
    let text = '';
    let written = '';
    child.stdout.on('data', (part: Buffer) => {
      text += part.toString();
      written += part.toString();
    });
    child.stderr.on('data', (part: Buffer) => (text += part.toString()));
    const logLines = () => written.slice(written.search(/^\{/m)).trimEnd().split('\n');
    return { child, output: () => text, logLines, ended: new Promise((done) => child.on('exit', done)) };
  }

  async function until<T>(found: () => T | undefined | Promise<T | undefined>, seconds: number): Promise<T> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const value = await found();
      if (value !== undefined) return value;
      if (Date.now() > deadline) throw new Error(`it did not come true in ${seconds} s`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  it('serves on the configured database, prints the address of Swagger UI, and stops in order when npm is stopped', async () => {
    const service = start({
      DATABASE_URL: database.url,
      INTRIC_SUPER_API_KEY: 'start-super-key-of-the-test',
      PLATFORM_API_KEY: 'start-platform-key-of-the-test',
      ENCRYPTION_KEY: generateKey(),
      OPENAI_API_KEY: 'sk-global-key-that-is-not-used',
      DRAIN_SECONDS: '1',
    });
    const base = await until(() => /Swagger UI +(http\S+)\/docs/.exec(service.output())?.[1], 150);
    expect((await fetch(`${base}/docs`)).status).toBe(200);
    expect((await fetch(`${base}/ready`)).status).toBe(200);
    expect(service.output()).toContain('these variables are not read in strict mode: OPENAI_API_KEY');
    expect(service.output()).not.toContain('sk-global-key');
    service.child.kill('SIGTERM');
    await until(async () => ((await fetch(`${base}/ready`)).status === 503 ? true : undefined), 1);
    expect(await service.ended).toBe(0);
    await expect(fetch(`${base}/health`)).rejects.toThrow();
    const lines = service.logLines();
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.filter((line) => !/^\{.*\}$/.test(line))).toEqual([]);
  }, 180_000);

  it('names every fault of the settings at once, and exits with 1', async () => {
    const service = start({
      NODE_ENV: 'production',
      PORT: 'many',
      DATABASE_URL: '',
      INTRIC_SUPER_API_KEY: '',
      ENCRYPTION_KEY: '',
    });
    expect(await service.ended).toBe(1);
    for (const name of ['PORT', 'DATABASE_URL', 'INTRIC_SUPER_API_KEY', 'ENCRYPTION_KEY']) {
      expect(service.output()).toContain(`- ${name}`);
    }
  }, 180_000);

  it('gives up on a database that never becomes available, and says what to check', async () => {
    const service = start({
      NODE_ENV: 'production',
      DATABASE_HOST: '127.0.0.1',
      DATABASE_PORT: '9',
      DATABASE_PASSWORD: 'sentinel-password',
      DATABASE_WAIT_SECONDS: '1',
      INTRIC_SUPER_API_KEY: 'start-super-key-of-the-test',
      ENCRYPTION_KEY: generateKey(),
    });
    expect(await service.ended).toBe(1);
    expect(service.output().split(String.raw`Gave up on database \"tenkey\" at 127.0.0.1:9`)).toHaveLength(2);
    expect(service.output()).toContain('that DATABASE_HOST and DATABASE_PORT are right');
    expect(service.output()).not.toContain('sentinel-password');
  }, 180_000);
});
