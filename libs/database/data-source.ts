import { type DataSourceOptions } from 'typeorm';
import { migrations } from './migrations';
import { watchedClient } from './watched-client';

const STATEMENT_MS = 15_000;

/**
 * The one set of TypeORM options. `url` may be a TCP address or the embedded server's socket; TypeORM hands it to
 * node-postgres unparsed, so both forms and every query parameter (sslmode ...) work.
 */
export function dataSourceOptions(options: {
  url: string;
  entities: NonNullable<DataSourceOptions['entities']>;
  poolSize?: number;
  /** How long a statement may go without an answer of the server, in milliseconds; longer than the server lets it run. */
  answerWithinMs?: number;
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
    extra: {
      connectionTimeoutMillis: 5000,
      statement_timeout: STATEMENT_MS,
      // Who waits for a lock holds a connection that calls need, and its client may well ask again.
      lock_timeout: 5000,
      // A process that stands still while it holds the end of the audit chain would stop every change.
      idle_in_transaction_session_timeout: STATEMENT_MS,
      application_name: 'tenkey',
      Client: watchedClient(options.answerWithinMs ?? STATEMENT_MS + 5000),
    },
  };
}
