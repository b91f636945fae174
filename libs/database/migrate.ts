import { setTimeout as sleep } from 'node:timers/promises';
import { type DataSource } from 'typeorm';
import { OLDEST_SERVER } from './check/server-facts';
import { type AddressSource, connectionAdvice, isConnectionRefused } from './connection/connection-advice';
import { codeOf, DatabaseStartError, reasonOf } from './connection/connection-fault';
import { connectionOptions, CONNECT_MS, placeOf } from './connection/connection-options';
import { DatabaseClient } from './connection/database-client';
import { isTemporary } from './database-errors';
import { runMigrations } from './run-migrations';

const MESSAGE_EVERY_MS = 5000;
const PAUSE_MS = 500;
/** How long an attempt to connect may be pending before the log says so. */
const SILENT_MS = 1000;

interface WaitOptions {
  readonly waitSeconds: number;
  readonly log: (message: string) => void;
}

/**
 * Waits at most `waitSeconds` until the database is available, migrates it, and initialises the data source. Replicas can
 * start together: each migration takes a lock that ends with its transaction, and a replica waits at most `waitSeconds` for it.
 * @param options.source where the address of the data source was set
 * @param options.directUrl the address of the database itself, if that of the data source leads to a pooler
 * @returns the names of the migrations that ran
 * @throws DatabaseStartError
 */
export async function connectAndMigrate(
  dataSource: DataSource,
  options: WaitOptions & { source?: AddressSource; directUrl?: string | undefined },
): Promise<string[]> {
  const url = 'url' in dataSource.options ? dataSource.options.url : undefined;
  if (typeof url !== 'string') throw new DatabaseStartError('The data source has no url.');
  const { directUrl, source = 'DATABASE_URL' } = options;
  if (directUrl !== undefined) await waitFor(directUrl, 'DATABASE_DIRECT_URL', options);
  if (url !== directUrl) await waitFor(url, source, options);
  const done = await runMigrations(dataSource.options, { ...options, url: directUrl ?? url });
  if (!dataSource.isInitialized) await dataSource.initialize();
  return done;
}

async function waitFor(url: string, source: AddressSource, { waitSeconds, log }: WaitOptions): Promise<void> {
  const where = placeOf(url);
  const deadline = Date.now() + waitSeconds * 1000;
  for (let nextMessage = Date.now(); ;) {
    const limitMs = Math.min(CONNECT_MS, Math.max(deadline - Date.now(), 1000));
    const say = (reason: string) => {
      if (Date.now() < nextMessage) return;
      const leftSeconds = Math.ceil((deadline - Date.now()) / 1000);
      log(`Waiting for ${where}: ${reason}; at most ${leftSeconds} s more.`);
      nextMessage = Date.now() + MESSAGE_EVERY_MS;
    };
    // An attempt at a port that accepts and never answers takes as long as it may.
    const pending = setTimeout(() => say('it has not responded yet'), SILENT_MS);
    const error = await attempt(url, limitMs).finally(() => clearTimeout(pending));
    if (error === undefined) return;
    if (error instanceof DatabaseStartError) throw error;
    const reason = reasonOf(error);
    if (!isWorthWaiting(error)) {
      throw new DatabaseStartError(`Cannot use ${where}: ${reason}. ${connectionAdvice(error, source)}`);
    }
    if (Date.now() >= deadline) {
      throw new DatabaseStartError(
        `Gave up on ${where} after ${waitSeconds} s: ${reason}. ${connectionAdvice(error, source)}`,
      );
    }
    say(reason);
    await sleep(Math.min(PAUSE_MS, Math.max(deadline - Date.now(), 0)));
  }
}

/** Connects once. @returns why the database cannot be used */
async function attempt(url: string, connectionTimeoutMillis: number): Promise<Error | undefined> {
  const client = new DatabaseClient({
    ...connectionOptions(url),
    connectionTimeoutMillis,
    responseTimeoutMs: CONNECT_MS,
    application_name: 'tenkey-migrate',
  });
  // Without a listener, a connection that breaks between two queries would crash the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ number: number; version: string }>(
      "select current_setting('server_version_num')::int as number, current_setting('server_version') as version",
    );
    const { number = 0, version } = rows[0] ?? {};
    if (number >= OLDEST_SERVER) return undefined;
    return new DatabaseStartError(
      `PostgreSQL ${version} is too old: Tenkey needs ${OLDEST_SERVER / 10_000} or newer. Upgrade the server.`,
    );
  } catch (error) {
    return error as Error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** 3D000: the server is available, but the database may not have been created yet. */
const isWorthWaiting = (error: Error): boolean =>
  codeOf(error) === '3D000' || (isTemporary(error) && !isConnectionRefused(error));
