import { type DataSourceOptions } from 'typeorm';
import { migrations } from './migrations';

/**
 * The one set of TypeORM options. `url` may be a TCP address or the embedded server's socket; TypeORM hands it to
 * node-postgres unparsed, so both forms and every query parameter (sslmode ...) work.
 */
export function dataSourceOptions(options: {
  url: string;
  entities: NonNullable<DataSourceOptions['entities']>;
  poolSize?: number;
}): DataSourceOptions {
  return {
    type: 'postgres',
    url: options.url,
    entities: options.entities,
    poolSize: options.poolSize ?? 10,
    synchronize: false,
    migrations,
    migrationsTransactionMode: 'each',
    // Identifiers are made by us: no extension, so the database user needs no right to create one.
    installExtensions: false,
    // Query logging would write sealed keys and parameters into the log.
    logging: false,
    extra: { connectionTimeoutMillis: 5000, statement_timeout: 15_000, application_name: 'tenkey' },
  };
}
