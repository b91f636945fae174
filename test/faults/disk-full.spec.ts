import { execFileSync } from 'node:child_process';
import { chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChangesService } from '#cache';
import { startTestApp, type TestApp } from '../support/app';
import { execute, urlFor } from '../support/postgres';
import { FaultRow } from './fault-rows';
import { until } from '../support/until';
import { OwnServer } from './own-server';

const asRoot = (program: string, ...args: string[]) =>
  process.getuid?.() === 0
    ? execFileSync(program, args)
    : execFileSync('sudo', ['--non-interactive', program, ...args]);

/** The files of the database are on a small disk of their own, and the write-ahead log is not. */
describe('when the disk of the database is full', () => {
  let disk: string;
  let server: OwnServer;
  let tenkey: TestApp;
  beforeAll(async () => {
    server = await OwnServer.start();
    disk = await mkdtemp(join(tmpdir(), 'tenkey-disk-'));
    asRoot('mount', '-t', 'tmpfs', '-o', 'size=32m,mode=0777', 'tenkey-test', disk);
    const space = join(disk, 'space');
    execFileSync('mkdir', ['-m', '0700', space]);
    const { uid, gid } = await stat(server.dataFolder);
    await chown(space, uid, gid);
    await execute(
      server.url,
      `create tablespace small location '${space}'`,
      'create database small tablespace small',
    );
    const databaseUrl = urlFor(server.url, 'small');
    tenkey = await startTestApp({ CACHE_LEASE_SECONDS: '1' }, { databaseUrl });
  });
  afterAll(async () => {
    await tenkey?.close();
    await server.close();
    asRoot('umount', disk);
    await rm(disk, { recursive: true });
  });

  /** Writes until nothing more fits. */
  async function fill(): Promise<void> {
    const part = Buffer.alloc(64 * 1024);
    for (let index = 0; ; index += 1) {
      const error = await writeFile(join(disk, `fill-${index}`), part).catch(
        (fault: NodeJS.ErrnoException) => fault,
      );
      if (error?.code === 'ENOSPC') return;
      if (error !== undefined) throw error;
    }
  }
  const empty = () => execFileSync('sh', ['-c', `rm ${disk}/fill-*`]);
  const ready = async () =>
    (await tenkey.http().get('/ready')) as { status: number; body: Record<string, unknown> };

  /** The name of a tenant that was answered last. */
  let named = '';
  /** Some changes still fit on pages that exist. @returns the first answer that is none of a change that was made */
  async function failedChange(tenant: string, row: FaultRow) {
    for (let index = 0; index < 500; index += 1) {
      const display_name = `${index} `.repeat(40).trim();
      const answer = await row.timed(tenkey.sysadmin('patch', `/tenants/${tenant}`).send({ display_name }));
      if (answer.status !== 200) return answer;
      named = display_name;
    }
    throw new Error('every change was stored');
  }

  it('changes are refused as when the database is unavailable, /ready says so, calls go on, and it ends by itself', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-of-a-full-disk' });
    expect((await ready()).body).toMatchObject({ status: 'ready', changes: 'ok' });
    await fill();
    const row = new FaultRow('the disk of the database is full: changes of a tenant');
    for (let refusal = 0; refusal < 5; refusal += 1) {
      const { status, body } = await failedChange(tenant, row);
      row.reached += 1;
      if (status !== 503 || body.code !== 'credential_store_unavailable') row.wrong += 1;
    }
    const stored = (await tenkey.sysadmin('get', `/tenants/${tenant}`)).body;
    if ((stored.display_name ?? '') !== named) row.lost += 1;
    row.report();
    expect([row.lost, row.wrong]).toEqual([0, 0]);
    const refused = await failedChange(tenant, row);
    expect([refused.status, refused.body.code]).toEqual([503, 'credential_store_unavailable']);
    expect(refused.body.detail).toBe(
      'The disk of the database is full. Nothing was changed. Try again when that is corrected.',
    );
    const full = await ready();
    expect([full.status, full.body.changes]).toEqual([200, 'failing']);
    expect(full.body.changes_reason).toMatch(/disk of the database is full.*Free or add space/);
    expect((await tenkey.chat(tenant)).status).toBe(200);
    const changes = tenkey.nest.get(ChangesService, { strict: false });
    await expect(changes.sweep()).rejects.toThrow('No space left');
    expect((await ready()).body.changes).toBe('failing');
    empty();
    await changes.sweep();
    expect((await ready()).body.changes).toBe('ok');
    expect((await ready()).body).not.toHaveProperty('changes_reason');
    expect((await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-afterwards' })).status).toBe(200);
  });

  it('/ready and a metric say so when only usage records cannot be stored', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-of-calls-on-a-full-disk' });
    const metric = async () =>
      /^tenkey_changes_failing (\d)$/m.exec((await tenkey.sysadmin('get', '/metrics')).text)?.[1];
    expect([(await ready()).body.changes, await metric()]).toEqual(['ok', '0']);
    await fill();
    await until(
      async () => {
        const calls = await Promise.all(Array.from({ length: 20 }, () => tenkey.chat(tenant)));
        expect(calls.filter(({ status }) => status !== 200)).toEqual([]);
        return (await ready()).body.changes === 'failing';
      },
      '/ready says so',
      30_000,
    );
    expect(await metric()).toBe('1');
    const warnings = tenkey.logLines.filter((line) => line.includes('usage records cannot be written yet'));
    expect(warnings).toEqual([expect.stringContaining('No space left on device')]);
    empty();
    await tenkey.nest.get(ChangesService, { strict: false }).sweep();
    expect([(await ready()).body.changes, await metric()]).toEqual(['ok', '0']);
  }, 60_000);
});
