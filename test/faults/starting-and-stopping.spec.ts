import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { freePort } from '../deployment/program';
import { encryptionKey, platformKey, superKey } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { until } from '../support/until';
import { OwnServer } from './own-server';

const root = join(__dirname, '../..');
const entry = join(root, 'dist/apps/api/main.js');

interface Service {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
}

describe('starting and stopping', () => {
  let folder: string;
  let database: TestDatabase;
  let settings: Record<string, string>;
  const running: Service[] = [];
  beforeAll(async () => {
    execFileSync(process.execPath, ['scripts/run.cjs', '--build-only'], { cwd: root });
    folder = await mkdtemp(join(tmpdir(), 'tenkey-start-'));
    database = await createTestDatabase();
    settings = {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: database.url,
      INTRIC_SUPER_API_KEY: superKey,
      PLATFORM_API_KEY: platformKey,
      ENCRYPTION_KEY: encryptionKey,
    };
  });
  afterEach(async () => {
    for (const { child, ended } of running.splice(0)) {
      child.kill('SIGKILL');
      await ended;
    }
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  function start(env: Record<string, string> = {}, command = [process.execPath, entry]): Service {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { cwd: folder, env: { ...settings, ...env } });
    const texts = { output: '', errors: '' };
    child.stdout.on('data', (part: Buffer) => (texts.output += part.toString()));
    child.stderr.on('data', (part: Buffer) => (texts.errors += part.toString()));
    const service = {
      child,
      output: () => texts.output,
      errors: () => texts.errors,
      ended: new Promise<number | null>((done) => child.on('exit', done)),
    };
    running.push(service);
    return service;
  }

  async function baseOf({ output }: Service): Promise<string> {
    const found = () => /listening on (http:[^"]+)/.exec(output())?.[1];
    await until(() => found() !== undefined, 'the service listens');
    return found()!;
  }

  const answerOf = async (url: string) => {
    const { statusCode, headers, body } = await request(url);
    return { status: statusCode, connection: headers.connection, body: (await body.json()) as any };
  };

  describe('a fault of a start', () => {
    it.each<[string, Record<string, string>, string, 'explained' | 'with its stack']>([
      ['in the settings', { PORT: 'many' }, 'PORT must be a whole number', 'explained'],
      [
        'of the database',
        { DATABASE_URL: 'postgresql://u:p@127.0.0.1:9/x', DATABASE_WAIT_SECONDS: '0' },
        'Gave up on database',
        'explained',
      ],
      ['in the catalogue', { AI_MODELS_FILE: 'broken.yml' }, 'broken.yml', 'explained'],
      ['of the address', { HOST: '192.0.2.1' }, 'Set PORT or HOST', 'explained'],
      [
        'that no code expects',
        { NODE_OPTIONS: '--require ./unexpected.cjs' },
        'planted fault',
        'with its stack',
      ],
      [
        'in a promise that nothing awaits',
        { NODE_OPTIONS: '--require ./rejected.cjs' },
        'planted fault',
        'with its stack',
      ],
    ])('%s is one line of the log', async (_, env, text, form) => {
      await writeFile(join(folder, 'broken.yml'), 'completion_models: 7\n');
      await writeFile(
        join(folder, 'unexpected.cjs'),
        "process.setMaxListeners(0); require('node:http').Server.prototype.listen = () => { throw new Error('planted fault'); };",
      );
      await writeFile(
        join(folder, 'rejected.cjs'),
        "setTimeout(() => Promise.reject(new Error('planted fault')), 1500);",
      );
      const service = start(env);
      expect(await service.ended).toBe(1);
      expect(service.errors()).toBe('');
      const lines = service.output().trim().split('\n');
      const faults = lines.map((line) => JSON.parse(line)).filter(({ level }) => level >= 50);
      expect(faults).toHaveLength(1);
      const [{ level, msg, err }] = faults;
      expect(level).toBe(60);
      expect(JSON.stringify(faults)).toContain(text);
      if (form === 'explained') expect([msg.includes(text), err]).toEqual([true, undefined]);
      else expect(err.stack).toMatch(/planted fault\n +at /);
    });

    it('is readable text on a terminal', async () => {
      const service = start({ PORT: 'many' }, [
        'script',
        '-qec',
        `${process.execPath} ${entry}`,
        '/dev/null',
      ]);
      expect(await service.ended).toBe(1);
      expect(service.output()).toMatch(/FATAL.*: .*Tenkey cannot start:\r?\n {2}- PORT must be/);
      expect(service.output()).not.toContain('{"level"');
    });
  });

  it('shows that it is alive while it waits for the database, and loses no request when it is ready', async () => {
    const server = await OwnServer.start();
    const { url } = server;
    const agent = new Agent({ connections: 8, pipelining: 1 });
    try {
      await server.stop();
      const port = await freePort();
      const base = `http://127.0.0.1:${port}`;
      const service = start({ PORT: String(port), DATABASE_URL: url });
      await until(
        () =>
          answerOf(`${base}/health`).then(
            ({ status }) => status === 200,
            () => false,
          ),
        'the process says that it is alive',
      );
      expect(await answerOf(`${base}/ready`)).toMatchObject({
        status: 503,
        body: { status: 'not_ready', database: 'not_checked', reason: expect.stringContaining('database') },
      });
      const refused = await request(`${base}/v1/chat/completions`, { method: 'POST', body: '{}' });
      expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '5']);
      expect(await refused.body.json()).toMatchObject({ error: { code: 'credential_store_unavailable' } });

      const statuses = new Map<number, number>();
      let isDone = false;
      const client = async () => {
        while (!isDone) {
          const { statusCode, body } = await request(`${base}/v1/models`, { dispatcher: agent });
          await body.dump();
          statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
        }
      };
      const clients = Promise.all(Array.from({ length: 8 }, client));
      await server.startAgain();
      await until(() => service.output().includes('listening on'), 'the service is ready');
      await sleep(500);
      isDone = true;
      await clients;
      // Without a key the application refuses each request; before that, the process that starts does.
      expect([...statuses.keys()].sort()).toEqual([401, 503]);
      expect((await answerOf(`${base}/ready`)).status).toBe(200);
    } finally {
      await agent.destroy();
      await server.close();
    }
  });

  it('serves calls for DRAIN_SECONDS after a signal, while it is not ready any more', async () => {
    const service = start({ DRAIN_SECONDS: '2' });
    const base = await baseOf(service);
    expect((await answerOf(`${base}/ready`)).status).toBe(200);
    const signalled = performance.now();
    service.child.kill('SIGTERM');
    await until(async () => (await answerOf(`${base}/ready`)).status === 503, 'it is not ready');
    expect(performance.now() - signalled).toBeLessThan(1000);
    expect((await answerOf(`${base}/ready`)).body.reason).toContain('stopping');
    // A new connection is accepted, and closed after its request.
    expect(await answerOf(`${base}/health`)).toMatchObject({ status: 200, connection: 'close' });
    expect(await service.ended).toBe(0);
    expect(performance.now() - signalled).toBeGreaterThan(2000);
  });

  it('ends at once at a second signal, but not at one that npm or a terminal repeats', async () => {
    const service = start({ DRAIN_SECONDS: '60' });
    const base = await baseOf(service);
    service.child.kill('SIGTERM');
    await sleep(100);
    service.child.kill('SIGINT');
    await sleep(900);
    expect((await answerOf(`${base}/health`)).status).toBe(200);
    const again = performance.now();
    service.child.kill('SIGTERM');
    expect(await service.ended).toBe(1);
    expect(performance.now() - again).toBeLessThan(1000);
  });
});
