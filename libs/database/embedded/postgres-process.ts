import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chown, lstat, mkdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, childEnvironment } from './postgres-binaries';
import { type Location } from './postgres-directory';

/** Only a part of the socket's name: there is no TCP port. */
export const port = 5432;
const logName = 'postgres.log';
const logLimitBytes = 10_000_000;
const stopLimitMs = 20_000;

/** Starts the server and resolves when its process runs. Some time later it accepts connections, or exits with a reason in the log. */
export async function launch(location: Location, socketDirectory: string): Promise<ChildProcess> {
  const output = openSync(join(location.folder, logName), 'a', 0o600);
  const settings = ['listen_addresses=', `port=${port}`, 'unix_socket_permissions=0700'];
  const child = spawn(
    join(location.binaries, 'bin', 'postgres'),
    ['-D', location.database, '-k', socketDirectory, ...settings.flatMap((setting) => ['-c', setting])],
    // Detached, because Ctrl-C signals the whole process group, and would stop the server while requests are running.
    {
      ...location.account,
      cwd: '/',
      env: childEnvironment,
      detached: true,
      stdio: ['ignore', output, output],
    },
  );
  closeSync(output);
  await new Promise<void>((done, fail) => child.once('spawn', done).once('error', fail));
  child.unref();
  return child;
}

/** Rotates a large log. Returns the size of the log, in bytes, before a new server writes to it. */
export async function rotateLog(folder: string): Promise<number> {
  const file = join(folder, logName);
  const size = (await stat(file).catch(() => undefined))?.size ?? 0;
  if (size <= logLimitBytes) return size;
  await rename(file, `${file}.old`);
  return 0;
}

export async function prepareSocketFolder(folder: string, account: Account | undefined): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await refuseForeignFolder(folder, account);
  if (account !== undefined) await chown(folder, account.uid, account.gid);
}

/** The server trusts every connection, so a folder that another user created under the predictable name must not be used. */
export async function refuseForeignFolder(folder: string, account: Account | undefined): Promise<void> {
  const status = await lstat(folder).catch(() => undefined);
  if (status === undefined) return;
  // The folder belongs to root until prepareSocketFolder changes the owner.
  const owners = account === undefined ? [process.getuid?.()] : [account.uid, 0];
  if (!status.isDirectory() || !owners.includes(status.uid) || (status.mode & 0o077) !== 0) {
    throw new Error(`${folder} belongs to another user or is open to others; remove it and start again.`);
  }
}

export const lockFileLines = async (database: string): Promise<string[]> =>
  (await readFile(join(database, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');

export async function postmasterPid(database: string): Promise<number | undefined> {
  const pid = Number((await lockFileLines(database))[0]);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

export async function exitOf(pid: number, database: string): Promise<void> {
  const deadline = Date.now() + stopLimitMs;
  while (Date.now() < deadline && (await postmasterPid(database)) === pid) await sleep(20);
}

export async function logSince(folder: string, start: number): Promise<string> {
  const bytes = await readFile(join(folder, logName)).catch(() => Buffer.alloc(0));
  return bytes.subarray(start).toString('utf8').trim();
}

export const lastLines = (text: string): string => text.split('\n').slice(-8).join('\n');
