import { spawn } from 'node:child_process';
import { chown, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type Account,
  childEnvironment,
  findBinaries,
  isReachable,
  sharedFolder,
  shortHash,
  unprivilegedAccount,
} from './postgres-binaries';

export const user = 'tenkey';

export interface Location {
  readonly folder: string;
  readonly database: string;
  readonly account: Account | undefined;
  readonly binaries: string;
  readonly log: (message: string) => void;
}

/** Decides where the data is, which user owns it, and which binaries run it. */
export async function locate(requested: string, log: (message: string) => void): Promise<Location> {
  let account = await unprivilegedAccount();
  await mkdir(resolve(requested), { recursive: true, mode: 0o755 });
  let folder = await realpath(requested);
  if (account !== undefined) {
    const elsewhere = join(sharedFolder, shortHash(folder));
    const owner = await ownerOf(join(folder, 'db'));
    // Existing data keeps its owner: PostgreSQL refuses a data directory of another user.
    if (owner !== undefined && owner.uid !== 0) account = owner;
    // Existing data elsewhere stays in use. It would seem lost if the permissions of the folder were relaxed later.
    const isElsewhere = owner === undefined && (await ownerOf(join(elsewhere, 'db'))) !== undefined;
    if (isElsewhere || !(await isReachable(folder, account))) {
      log(`The user PostgreSQL runs as cannot reach ${folder}; the database is in ${elsewhere} instead.`);
      await mkdir(elsewhere, { recursive: true, mode: 0o755 });
      folder = elsewhere;
      account = (await ownerOf(join(folder, 'db'))) ?? account;
    }
  }
  const binaries = await findBinaries(account, folder);
  return { folder, database: join(folder, 'db'), account, binaries, log };
}

/** The folder that holds the embedded database, without creating anything; undefined when there is no database yet. */
export async function findEmbeddedDatabase(requested: string): Promise<string | undefined> {
  const folder = await realpath(requested).catch(() => undefined);
  if (folder === undefined) return undefined;
  for (const each of [folder, join(sharedFolder, shortHash(folder))]) {
    if ((await ownerOf(join(each, 'db'))) !== undefined) return each;
  }
  return undefined;
}

export async function ownerOf(path: string): Promise<Account | undefined> {
  return stat(path).then(
    ({ uid, gid }) => ({ uid, gid }),
    () => undefined,
  );
}

/** Runs initdb in a draft folder and renames it, so that a start that is killed leaves no incomplete database. */
export async function initialise({ folder, database, account, binaries, log }: Location): Promise<void> {
  if ((await ownerOf(database)) !== undefined) return;
  await removeAbandonedDrafts(folder);
  const draft = `${database}.new.${process.pid}-${shortHash(String(Math.random()))}`;
  await mkdir(draft, { mode: 0o700 });
  try {
    if (account !== undefined) await chown(draft, account.uid, account.gid);
    log(`Creating the embedded database in ${database}`);
    await initdb(binaries, draft, account);
    await rename(draft, database);
    const handle = await open(folder);
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    // Another first start was faster; its database is used.
    if ((await ownerOf(database)) === undefined) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function removeAbandonedDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('db.new.')) continue;
    const ageMs =
      Date.now() - (await stat(join(folder, name)).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (ageMs > 600_000) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function initdb(binaries: string, draft: string, account: Account | undefined): Promise<void> {
  // Trust is safe here: no other user can enter the folder of the socket, and there is no TCP port.
  const settings = ['-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--data-checksums', '-U', user];
  const child = spawn(join(binaries, 'bin', 'initdb'), ['-D', draft, ...settings], {
    ...account,
    cwd: '/',
    env: childEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new Promise((done, fail) => {
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    child.on('error', fail);
    child.on('close', (code) =>
      code === 0 ? done() : fail(new Error(`initdb failed: ${complaint.trim()}`)),
    );
  });
}
