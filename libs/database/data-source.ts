import { type DataSourceOptions } from 'typeorm';
import { DatabaseClient, type DatabaseClientConfig } from './connection/database-client';
import { connectionOptions } from './connection/connection-options';
import { migrations } from './migrations';

const STATEMENT_MS = 15_000;
/** A statement that waits for a lock holds a connection that calls need, and its client can retry. */
const LOCK_MS = 5000;
/** A process that hangs while it holds the lock on the audit chain would block every change. */
const IDLE_MS = STATEMENT_MS;
const POOL_SIZE = 10;

/** How many connections a process may open: its pool, one that receives notifications, and one that holds an embedded server. */
export const CONNECTIONS_OF_A_PROCESS = POOL_SIZE + 2;

/** The options of the connections of a data source that `dataSourceOptions` made. */
export function clientOptionsOf({ extra }: DataSourceOptions): DatabaseClientConfig {
  return extra as DatabaseClientConfig;
}

/** The TypeORM options of every connection. `url` may be a TCP address or the socket of the embedded server. */
export function dataSourceOptions(options: {
  url: string;
  entities: NonNullable<DataSourceOptions['entities']>;
  poolSize?: number;
  /** How long a statement waits for the server, in milliseconds; longer than the server's own statement timeout. */
  responseTimeoutMs?: number;
  /** Gets each address at which a connection has reached the server. */
  addresses?: Set<string>;
}): DataSourceOptions {
  const client: DatabaseClientConfig = {
    ...connectionOptions(options.url),
    responseTimeoutMs: options.responseTimeoutMs ?? STATEMENT_MS + 5000,
    ...(options.addresses && { addresses: options.addresses }),
    atBegin: `set local statement_timeout = ${STATEMENT_MS}; set local lock_timeout = ${LOCK_MS}; set local idle_in_transaction_session_timeout = ${IDLE_MS}`,
  };
  return {
    type: 'postgres',
    url: options.url,
    entities: options.entities,
    poolSize: options.poolSize ?? POOL_SIZE,
    synchronize: false,
    migrations,
    migrationsTransactionMode: 'each',
    // Tenkey creates its own identifiers. Without an extension, the database user needs no right to create one.
    installExtensions: false,
    // Query logging would write parameters, such as sealed keys, to the log.
    logging: false,
    // node-postgres would read the URL in its own way.
    extra: { ...client, connectionString: undefined, Client: DatabaseClient },
  };
}
