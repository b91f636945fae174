import { Logger } from '@nestjs/common';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { type Config } from '#config';
import { dataSourceOptions, isDatabaseUnavailable, sqlStateOf, startEmbeddedPostgres } from '#database';

// The log lines of services would appear between the output of a command.
Logger.overrideLogger(false);

/**
 * Calls `run` with the database of the service: DATABASE_URL, or the embedded database of this folder, which a running
 * service may be using at the same time. It does not migrate the database; only a start of the service does.
 */
export async function withDatabase<T>(
  config: Config,
  entities: NonNullable<DataSourceOptions['entities']>,
  run: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const embedded = config.databaseUrl
    ? undefined
    : await startEmbeddedPostgres({
        dataDirectory: config.dataDirectory,
        log: (message) => void process.stderr.write(`${message}\n`),
      });
  const url = config.databaseUrl?.expose() ?? embedded?.urlOf('tenkey') ?? '';
  const dataSource = new DataSource(dataSourceOptions({ url, entities, poolSize: 2 }));
  try {
    await dataSource.initialize();
    return await run(dataSource);
  } catch (error) {
    if (isDatabaseUnavailable(error)) {
      throw new Error(`the database is unavailable: ${reasonOf(error as Error)}`, { cause: error });
    }
    const undefinedTableOrColumn = ['42P01', '42703'];
    if (!undefinedTableOrColumn.includes(sqlStateOf(error) ?? '')) throw error;
    throw new Error(
      'the database has the schema of an earlier version. Start this version of the service once to migrate it.',
      { cause: error },
    );
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    await embedded?.stop();
  }
}

/** A host name with several addresses causes an AggregateError, which has no message of its own. */
function reasonOf(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map((each) => (each as Error).message).join('; ')
    : error.message;
}
