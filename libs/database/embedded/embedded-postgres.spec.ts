import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformFile } from '@swc/core';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { until } from '../../../test/support/until';
import { dataSourceOptions } from '../data-source';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres';

let directory: string;
const running: EmbeddedPostgres[] = [];
let socketDirectory: string;

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDirectory: directory, log: () => undefined });
  running.push(server);
  socketDirectory = server.socketDirectory;
  return server;
}

async function query(server: EmbeddedPostgres, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: server.urlOf('tenkey') });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(join(directory, 'db', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** Starts the server in a separate process, which can then be killed. */
async function startInChild(code: string): Promise<ChildProcess> {
  for (const name of ['embedded-postgres', 'postgres-binaries', 'postgres-directory', 'postgres-process']) {
    const compiled = await transformFile(join(__dirname, `${name}.ts`), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    await writeFile(join(code, `${name}.js`), compiled.code);
  }
  const script = `require('./embedded-postgres.js').startEmbeddedPostgres({
    dataDirectory: ${JSON.stringify(directory)}, log: () => {} }).then(() => console.log('ready'))`;
  const child = spawn(process.execPath, ['-e', script], {
    cwd: code,
    env: { NODE_PATH: join(__dirname, '../../../node_modules'), SUPER_API_KEY: 'must-not-be-inherited' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise<void>((done, fail) => {
    child.stdout.once('data', () => done());
    child.once('exit', () => fail(new Error('the child exited early')));
  });
  return child;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tenkey-spec-'));
  await chmod(directory, 0o755);
});

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await rm(socketDirectory, { recursive: true, force: true });
});

it('two first starts at once share one server, and the first stop does not stop it while the other uses it', async () => {
  const [first, second] = await Promise.all([start(), start()]);
  expect(first.socketDirectory).toBe(second.socketDirectory);
  await query(first, 'create table kept (id integer)');
  await query(first, 'insert into kept values (1)');
  await first.stop();
  expect(await query(second, 'select id from kept')).toEqual([{ id: 1 }]);
  await second.stop();
  await expect(query(second, 'select 1')).rejects.toThrow();
});

it('two stops at once stop the server', async () => {
  const both = await Promise.all([start(), start()]);
  await Promise.all(both.map((server) => server.stop()));
  await expect(postmasterPid()).rejects.toThrow('ENOENT');
});

it('a restart keeps the rows, through node-postgres and TypeORM alike', async () => {
  const server = await start();
  expect(await query(server, 'select id from kept')).toEqual([{ id: 1 }]);
  const dataSource = await new DataSource(
    dataSourceOptions({ url: server.urlOf('tenkey'), entities: [] }),
  ).initialize();
  const settings = await dataSource.transaction((transaction) =>
    transaction.query(
      "select current_setting('statement_timeout') as timeout, current_setting('application_name') as name, current_setting('listen_addresses') as addresses, current_setting('data_checksums') as checksums",
    ),
  );
  expect(settings).toEqual([{ timeout: '15s', name: 'tenkey', addresses: '', checksums: 'on' }]);
  await dataSource.destroy();
});

it('a start uses the server that a killed process left running, which inherited nothing of its environment', async () => {
  const code = await mkdtemp(join(tmpdir(), 'tenkey-child-'));
  const child = await startInChild(code);
  const pid = await postmasterPid();
  const exited = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await exited;
  const server = await start();
  expect(await postmasterPid()).toBe(pid);
  expect(await query(server, 'select id from kept')).toEqual([{ id: 1 }]);
  if (process.platform === 'linux') {
    expect(await readFile(`/proc/${pid}/environ`, 'latin1')).not.toContain('must-not-be-inherited');
  }
  await rm(code, { recursive: true });
  await server.stop();
  await expect(postmasterPid()).rejects.toThrow('ENOENT');
});

it('a server that is killed is started again with its rows', async () => {
  const [server, other] = await Promise.all([start(), start()]);
  const pid = await postmasterPid();
  process.kill(pid, 'SIGKILL');
  const holders = "select 1 from pg_stat_activity where application_name = 'tenkey-holder'";
  await until(async () => (await query(server, holders).catch(() => [])).length === 2, 'both holders again');
  expect(await query(server, 'select id from kept')).toEqual([{ id: 1 }]);
  expect(await postmasterPid()).not.toBe(pid);
  await other.stop();
  expect(await query(server, 'select id from kept')).toEqual([{ id: 1 }]);
});
