import { DataSource, type DataSourceOptions } from 'typeorm';
import { type Config } from '#config';

/**
 * Runs something on the database that the service uses: DATABASE_URL, or the embedded one of this folder, which a running
 * service may be using meanwhile. Changes no schema: that is for a start of the service.
 */
export async function withDatabase<T>(
  config: Config,
  entities: NonNullable<DataSourceOptions['entities']>,
  run: (dataSource: DataSource) => Promise<T>,
): Promise<T> {
  const { dataSourceOptions, isDatabaseUnavailable, sqlStateOf, startEmbeddedPostgres } =
    await import('#database');
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
      throw new Error(`the database is not available: ${reasonOf(error as Error)}`, { cause: error });
    }
    // undefined_table, undefined_column
    const code = sqlStateOf(error);
    if (code !== '42P01' && code !== '42703') throw error;
    throw new Error(
      'the database has the schema of an earlier version. Start this version of the service once, which brings it up to date.',
      { cause: error },
    );
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    await embedded?.stop();
  }
}

/** Where a name has several addresses, what each of them said: the error around them says nothing. */
function reasonOf(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map((each) => (each as Error).message).join('; ')
    : error.message;
}
