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
  /** Where the data really is; not always the folder asked for, see startEmbeddedPostgres. */
  readonly dataDirectory: string;
  /** The only way in: a folder of mode 0700 with the unix socket. There is no TCP port. */
  readonly socketDirectory: string;
  readonly user: string;
  urlOf(database: string): string;
  /** Stops the server too, unless another process still uses it. */
  stop(): Promise<void>;
}

const applicationDatabase = 'tenkey';
const holderName = 'tenkey-holder';
/** Session advisory lock in the database postgres: serialises creating the application database, and leaving. */
const lifecycleLock = 7_364_001;
const startLimitMs = 60_000;

/**
 * Starts PostgreSQL on a data directory, or joins the server that already runs on it (left by a killed process, or
 * started by another at this moment). As root the server runs as user postgres, else nobody; a data directory that user
 * cannot reach is replaced by one under /var/lib/tenkey, which is logged.
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
    // PostgreSQL limits a socket's path to 107 bytes (103 on macOS); some temporary folders alone come close.
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

  /** One connection for as long as we live: it shows other processes that we use the server, and us when it died. */
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
        // Renamed before the lock is given back, or two that leave together would each leave the server to the other.
        await client.query("set application_name = 'tenkey-leaving'");
        return;
      }
      const pid = await postmasterPid(this.location.database);
      if (pid === undefined) return;
      process.kill(pid, 'SIGINT');
      await exitOf(pid, this.location.database);
    } catch (error) {
      this.location.log(`Embedded PostgreSQL was already gone at the stop: ${messageOf(error)}`);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  private async revive(): Promise<void> {
    this.location.log('Embedded PostgreSQL went away; starting it again.');
    for (let pauseMs = 250; this.stopped === undefined; pauseMs = Math.min(pauseMs * 2, 5000)) {
      try {
        await this.hold();
        this.location.log('Embedded PostgreSQL is back.');
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
      if (this.stopped !== undefined) throw new Error('Embedded PostgreSQL is being stopped.');
      if (child !== undefined && (child.exitCode !== null || child.signalCode !== null)) {
        const written = await logSince(this.location.folder, logStart);
        // The lock file means that another process was faster; shared memory, that a killed server's backends still end.
        if (!/lock file .* already exists|pre-existing shared memory|is still in use/.test(written)) {
          throw new Error(`Embedded PostgreSQL did not start:\n${lastLines(written)}`);
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
        throw new Error(`Embedded PostgreSQL did not answer within ${startLimitMs / 1000} s: ${reason}`);
      }
      await sleep(25);
    }
  }

  private async connect(): Promise<Client | NodeJS.ErrnoException> {
    // A server started under another TMPDIR has its socket elsewhere; its lock file says where. Only at the start: the
    // connection pools hold our address afterwards.
    if (!this.wasHeld) {
      const listed = (await lockFileLines(this.location.database))[4];
      const isThere = listed !== undefined && (await ownerOf(listed)) !== undefined;
      this.socketDirectory = isThere && listed.startsWith('/') ? listed : this.ownSocketDirectory;
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
    const found = await client.query('select 1 from pg_database where datname = $1', [applicationDatabase]);
    if (found.rowCount === 0) await client.query(`create database ${applicationDatabase}`);
  } finally {
    await client.query('select pg_advisory_unlock($1)', [lifecycleLock]);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
