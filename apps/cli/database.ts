import { Logger } from '@nestjs/common';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { type Config } from '#config';
import {
  type AddressSource,
  CHECK_STATEMENT_MS,
  connectionAdvice,
  isConnectionRefused,
  dataSourceOptions,
  isDatabaseUnavailable,
  ReadOnlyDataSource,
  reasonOf,
  sqlStateOf,
  startEmbeddedPostgres,
} from '#database';

// The log lines of services would appear between the output of a command.
Logger.overrideLogger(false);

type Entities = NonNullable<DataSourceOptions['entities']>;
type Run<T> = (dataSource: DataSource) => Promise<T>;

/**
 * Calls `run` with the database of the service: DATABASE_URL, or the embedded database of this folder, which a running
 * service may be using at the same time. It does not migrate the database; only a start of the service and `migrate` do.
 */
export async function withDatabase<T>(config: Config, entities: Entities, run: Run<T>): Promise<T> {
  return atAddress(config, (url) =>
    connected(new DataSource(optionsOf(url, entities)), run, config.databaseSetting),
  );
}

/** The same for a check: in the transactions of the data source, nothing can be changed. */
export async function withDatabaseReadOnly<T>(config: Config, entities: Entities, run: Run<T>): Promise<T> {
  return atAddress(config, (url) => readingAt(url, entities, run, config.databaseSetting));
}

/** Calls `run` with any database, for a check. */
export async function readingAt<T>(
  url: string,
  entities: Entities,
  run: Run<T>,
  source: AddressSource,
): Promise<T> {
  const responseTimeoutMs = CHECK_STATEMENT_MS + 5000;
  return connected(new ReadOnlyDataSource(optionsOf(url, entities, responseTimeoutMs)), run, source);
}

/** Calls `run` with the address of the database of the service. Starts the embedded one if it is that. */
export async function atAddress<T>(
  config: Pick<Config, 'databaseUrl' | 'dataDirectory'>,
  run: (url: string) => Promise<T>,
): Promise<T> {
  const embedded = config.databaseUrl
    ? undefined
    : await startEmbeddedPostgres({
        dataDirectory: config.dataDirectory,
        log: (message) => void process.stderr.write(`${message}\n`),
      });
  try {
    return await run(config.databaseUrl?.expose() ?? embedded?.urlOf('tenkey') ?? '');
  } finally {
    await embedded?.stop();
  }
}

function optionsOf(url: string, entities: Entities, responseTimeoutMs?: number): DataSourceOptions {
  return dataSourceOptions({ url, entities, poolSize: 2, ...(responseTimeoutMs && { responseTimeoutMs }) });
}

/** Calls `run` with a data source that is connected meanwhile. @param source where its address was set */
export async function connected<T>(dataSource: DataSource, run: Run<T>, source: AddressSource): Promise<T> {
  try {
    await dataSource.initialize();
    return await run(dataSource);
  } catch (error) {
    const isRefused = isConnectionRefused(error);
    // The text of the cause may contain a part of the address.
    if (isRefused || isDatabaseUnavailable(error)) {
      const state = isRefused ? 'cannot be used' : 'is unavailable';
      const advice = connectionAdvice(error, source);
      throw new Error(`the database ${state}: ${reasonOf(error)}. ${advice}`, { cause: error });
    }
    const undefinedTableOrColumn = ['42P01', '42703'];
    if (!undefinedTableOrColumn.includes(sqlStateOf(error) ?? '')) throw error;
    throw new Error(
      'the database has the schema of an earlier version. Run npx tenkey migrate, or start this version of the service once.',
      { cause: error },
    );
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}
