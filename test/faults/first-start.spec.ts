import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { createTestDatabase } from '../support/postgres';

const root = join(__dirname, '../..');
const sysadminTenants = '/api/v1/sysadmin/tenants';

interface Service {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** In an empty folder, as after a clone: nothing is set but what a test sets. */
describe('the first start', () => {
  let folder: string;
  const running: Service[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenkey-first-'));
    // As root the database runs as another user, who must be able to enter.
    await chmod(folder, 0o755);
  });
  afterEach(async () => {
    for (const { child, ended } of running.splice(0)) {
      child.kill('SIGTERM');
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  });

  function start(env: Record<string, string> = {}): Service {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, [join(root, 'scripts/run.cjs'), 'apps/api/main.js'], {
      cwd: folder,
      env: { PATH, HOME, PORT: '0', ...env },
    });
    let text = '';
    child.stdout.on('data', (part: Buffer) => (text += part.toString()));
    child.stderr.on('data', (part: Buffer) => (text += part.toString()));
    const service = {
      child,
      output: () => text,
      ended: new Promise<number | null>((done) => child.on('exit', done)),
    };
    running.push(service);
    return service;
  }

  async function baseOf({ child, output }: Service): Promise<string> {
    const deadline = Date.now() + 90_000;
    for (;;) {
      const base = /Swagger UI +(http\S+)\/docs/.exec(output())?.[1];
      if (base !== undefined) return base;
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`it did not start: ${output()}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  const settings = async () => parse(await readFile(join(folder, '.env')));
  const postmaster = async () =>
    Number((await readFile(join(folder, '.tenkey/db/postmaster.pid'), 'utf8')).split('\n')[0]);

  async function tenants(base: string, name?: string): Promise<string[]> {
    const { INTRIC_SUPER_API_KEY = '' } = await settings();
    const headers = { 'x-api-key': INTRIC_SUPER_API_KEY, 'content-type': 'application/json' };
    if (name !== undefined) {
      const body = JSON.stringify({ name });
      const made = await fetch(base + sysadminTenants, { method: 'POST', headers, body });
      expect(made.status).toBe(201);
    }
    const answer = await fetch(base + sysadminTenants, { headers });
    expect(answer.status).toBe(200);
    const { items } = (await answer.json()) as { items: { name: string }[] };
    return items.map((tenant) => tenant.name).sort();
  }

  async function kill({ child, ended }: Service): Promise<void> {
    child.kill('SIGKILL');
    await ended;
  }

  it('can happen twice at once: both share secrets and database, and killing everything loses nothing', async () => {
    const [first, second] = [start(), start()] as const;
    const bases = [await baseOf(first), await baseOf(second)] as const;
    const text = await readFile(join(folder, '.env'), 'utf8');
    expect((await stat(join(folder, '.env'))).mode & 0o777).toBe(0o600);
    expect(Object.keys(await settings())).toEqual([
      'INTRIC_SUPER_API_KEY',
      'PLATFORM_API_KEY',
      'ENCRYPTION_KEY',
      'TENANT_CREDENTIALS_ENABLED',
    ]);
    for (const { output } of [first, second]) {
      for (const secret of Object.values(await settings()).filter((value) => value.length > 8)) {
        expect(output()).not.toContain(secret);
      }
      const hint = /^\{.*Next, in another terminal.*\}$/m.exec(output())![0];
      expect(JSON.parse(hint).msg).toMatch(
        /\nset -a; \. \.\/\.env; set \+a\ncurl -sX POST \S+\/tenants -H "X-API-Key: \$/,
      );
      // Following both the hint and README's tour must not create one tenant twice.
      const [tenant] = /\{"name":"\w+"\}/.exec(JSON.parse(hint).msg)!;
      expect(await readFile(join(root, 'README.md'), 'utf8')).not.toContain(tenant);
    }
    expect((await fetch(`${bases[0]}/docs`)).status).toBe(200);
    await tenants(bases[0], 'one');
    expect(await tenants(bases[1], 'two')).toEqual(['one', 'two']);

    await kill(first);
    expect(await tenants(bases[1], 'three')).toEqual(['one', 'three', 'two']);
    const pid = await postmaster();
    await kill(second);
    const adopting = start();
    expect(await tenants(await baseOf(adopting))).toEqual(['one', 'three', 'two']);
    expect(await postmaster()).toBe(pid);

    await kill(adopting);
    process.kill(pid, 'SIGKILL');
    const afterAll = start();
    expect(await tenants(await baseOf(afterAll))).toEqual(['one', 'three', 'two']);
    expect(await readFile(join(folder, '.env'), 'utf8')).toBe(text);
    expect(afterAll.output()).not.toContain('wrote .env');
  }, 180_000);

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'stops with its database at %s',
    async (signal) => {
      const service = start();
      await baseOf(service);
      expect(await postmaster()).toBeGreaterThan(1);
      service.child.kill(signal);
      expect(await service.ended).toBe(0);
      await expect(postmaster()).rejects.toThrow('ENOENT');
    },
    120_000,
  );

  it('stops with its database when no process reads its log', async () => {
    const service = start();
    const base = await baseOf(service);
    service.child.stdout?.destroy();
    while (service.child.exitCode === null) {
      // A probe would write no line.
      await fetch(`${base}/`).catch(() => undefined);
      await new Promise((done) => setTimeout(done, 50));
    }
    expect(await service.ended).toBe(0);
    await expect(postmaster()).rejects.toThrow('ENOENT');
  }, 120_000);

  it('says what to set when it cannot listen, and leaves no database running', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    try {
      const service = start({ PORT: String((other.address() as { port: number }).port) });
      expect(await service.ended).toBe(1);
      expect(service.output()).toContain('address already in use');
      expect(service.output()).toContain('Set PORT');
      expect(service.output()).not.toMatch(/^ +at /m);
      await expect(postmaster()).rejects.toThrow('ENOENT');
    } finally {
      other.close();
    }
  }, 120_000);

  it('names a fault in EGRESS_ALLOW, without its text, before anything is started', async () => {
    const service = start({ EGRESS_ALLOW: '127.0.0.1:8000,pasted-into-the-wrong-line' });
    expect(await service.ended).toBe(1);
    expect(service.output()).toContain('  - EGRESS_ALLOW entry 2 must be');
    expect(service.output()).not.toMatch(/pasted-into|^ +at /m);
    expect(existsSync(join(folder, '.tenkey'))).toBe(false);
  }, 120_000);

  it('generates nothing and starts no database in production', async () => {
    const service = start({ NODE_ENV: 'production' });
    expect(await service.ended).toBe(1);
    for (const name of ['INTRIC_SUPER_API_KEY', 'ENCRYPTION_KEY', 'DATABASE_URL']) {
      expect(service.output()).toContain(`- ${name} is not set`);
    }
    expect(existsSync(join(folder, '.env')) || existsSync(join(folder, '.tenkey'))).toBe(false);
  }, 120_000);

  it('starts no database of its own when one is configured', async () => {
    const database = await createTestDatabase();
    try {
      const service = start({ DATABASE_URL: database.url });
      expect(await tenants(await baseOf(service), 'one')).toEqual(['one']);
      expect(existsSync(join(folder, '.tenkey'))).toBe(false);
      service.child.kill('SIGTERM');
      expect(await service.ended).toBe(0);
    } finally {
      await database.drop();
    }
  }, 120_000);
});
