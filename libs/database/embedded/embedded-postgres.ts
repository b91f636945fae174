import { type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { shortHash } from './postgres-binaries';
import { initialise, locate, type Location, ownerOf, user } from './postgres-directory';
import {
  exitOf,
  lastLines,
  launch,
  lockFileLines,
  logSince,
  port,
  postmasterPid,
  prepareSocketFolder,
  refuseForeignFolder,
  rotateLog,
} from './postgres-process';

export interface EmbeddedPostgres {
  /** The actual folder of the data; startEmbeddedPostgres may have replaced the requested one. */
  readonly dataDirectory: string;
  /** The folder with the unix socket, mode 0700. It is the only access, because there is no TCP port. */
  readonly socketDirectory: string;
  readonly user: string;
  urlOf(database: string): string;
  /** Disconnects, and stops the server unless another process still uses it. */
  stop(): Promise<void>;
}

const applicationDatabase = 'tenkey';
const holderName = 'tenkey-holder';
/** Session advisory lock in the database postgres. It serialises the creation of the application database, and stops. */
const lifecycleLock = 7_364_001;
const startLimitMs = 60_000;

/**
 * Starts PostgreSQL on a data directory, or uses the server that already runs on it (left by a killed process, or started
 * by another process at the same time). If Node runs as root, the server runs as user postgres or nobody. A data directory
 * that this user cannot reach is replaced by one under /var/lib/tenkey, which is logged.
 */
export async function startEmbeddedPostgres(options: {
  dataDirectory: string;
  log: (message: string) => void;
}): Promise<EmbeddedPostgres> {
  const location = await locate(options.dataDirectory, options.log);
  await initialise(location);
  const server = new Server(location);
  await server.hold();
  return server;
}

class Server implements EmbeddedPostgres {
  readonly user = user;
  socketDirectory: string;
  private readonly ownSocketDirectory: string;
  private wasHeld = false;
  private holder: Client | undefined;
  private reviving: Promise<void> | undefined;
  private stopped: Promise<void> | undefined;

  constructor(private readonly location: Location) {
    // PostgreSQL limits the path of a socket to 107 bytes (103 on macOS), and some temporary folders come close.
    const parent = tmpdir().length > 70 ? '/tmp' : tmpdir();
    this.ownSocketDirectory = join(parent, `tenkey-${shortHash(location.database)}`);
    this.socketDirectory = this.ownSocketDirectory;
  }

  get dataDirectory(): string {
    return this.location.folder;
  }

  urlOf(database: string): string {
    const host = encodeURIComponent(this.socketDirectory);
    return `postgresql://${user}@${host}:${port}/${encodeURIComponent(database)}`;
  }

  /** Opens a connection for the lifetime of this process. It shows other processes that the server is in use, and detects a crash. */
  async hold(): Promise<void> {
    const client = await this.connectOrLaunch();
    try {
      await createApplicationDatabase(client);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    const lost = (): void => {
      if (this.holder !== client) return;
      this.holder = undefined;
      if (this.stopped === undefined)
        this.reviving ??= this.revive().finally(() => (this.reviving = undefined));
    };
    this.holder = client;
    this.wasHeld = true;
    client.on('error', lost);
    client.on('end', lost);
  }

  stop(): Promise<void> {
    return (this.stopped ??= this.leave());
  }

  private async leave(): Promise<void> {
    await this.reviving;
    const client = this.holder;
    this.holder = undefined;
    if (client === undefined) return;
    client.on('error', () => undefined);
    try {
      await client.query('select pg_advisory_lock($1)', [lifecycleLock]);
      const others = await client.query(
        'select 1 from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid() limit 1',
        [holderName],
      );
      if (others.rowCount !== 0) {
        // Rename this connection before the lock is released. Otherwise, of two processes that stop together, each would leave
        // the server to the other.
        await client.query("set application_name = 'tenkey-leaving'");
        return;
      }
      const pid = await postmasterPid(this.location.database);
      if (pid === undefined) return;
      process.kill(pid, 'SIGINT');
      await exitOf(pid, this.location.database);
    } catch (error) {
      this.location.log(`The embedded PostgreSQL was already unavailable at the stop: ${messageOf(error)}`);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  private async revive(): Promise<void> {
    this.location.log('The embedded PostgreSQL has stopped; starting it again.');
    for (let pauseMs = 250; this.stopped === undefined; pauseMs = Math.min(pauseMs * 2, 5000)) {
      try {
        await this.hold();
        this.location.log('The embedded PostgreSQL is running again.');
        return;
      } catch (error) {
        if (this.stopped === undefined) this.location.log(messageOf(error));
        await sleep(pauseMs);
      }
    }
  }

  private async connectOrLaunch(): Promise<Client> {
    const deadline = Date.now() + startLimitMs;
    let child: ChildProcess | undefined;
    let logStart = 0;
    for (;;) {
      const result = await this.connect();
      if (result instanceof Client) return result;
      if (this.stopped !== undefined) throw new Error('The embedded PostgreSQL is being stopped.');
      if (child !== undefined && (child.exitCode !== null || child.signalCode !== null)) {
        const written = await logSince(this.location.folder, logStart);
        // A lock file means that another process was faster; shared memory, that backends of a killed server are still exiting.
        if (!/lock file .* already exists|pre-existing shared memory|is still in use/.test(written)) {
          throw new Error(`The embedded PostgreSQL did not start:\n${lastLines(written)}`);
        }
        child = undefined;
        await sleep(50);
      } else if (child === undefined && (result.code === 'ENOENT' || result.code === 'ECONNREFUSED')) {
        await prepareSocketFolder(this.socketDirectory, this.location.account);
        logStart = await rotateLog(this.location.folder);
        child = await launch(this.location, this.socketDirectory);
      }
      if (Date.now() > deadline) {
        const reason = `${result.message}\n${lastLines(await logSince(this.location.folder, logStart))}`;
        throw new Error(
          `The embedded PostgreSQL did not accept connections within ${startLimitMs / 1000} s: ${reason}`,
        );
      }
      await sleep(25);
    }
  }

  private async connect(): Promise<Client | NodeJS.ErrnoException> {
    // A server that was started with another TMPDIR has its socket elsewhere, as its lock file says. This is checked only at
    // the start, because connection pools keep the address afterwards.
    if (!this.wasHeld) {
      const listed = (await lockFileLines(this.location.database))[4];
      const exists = listed !== undefined && (await ownerOf(listed)) !== undefined;
      this.socketDirectory = exists && listed.startsWith('/') ? listed : this.ownSocketDirectory;
    }
    await refuseForeignFolder(this.socketDirectory, this.location.account);
    const client = new Client({
      host: this.socketDirectory,
      port,
      user,
      password: '',
      ssl: false,
      database: 'postgres',
      application_name: holderName,
      connectionTimeoutMillis: 5000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      return error as NodeJS.ErrnoException;
    }
  }
}

async function createApplicationDatabase(client: Client): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [lifecycleLock]);
  try {
    const databases = await client.query('select 1 from pg_database where datname = $1', [
      applicationDatabase,
    ]);
    if (databases.rowCount === 0) await client.query(`create database ${applicationDatabase}`);
  } finally {
    await client.query('select pg_advisory_unlock($1)', [lifecycleLock]);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
