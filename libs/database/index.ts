/**
 * The PostgreSQL database: its options, its schema (migrations), and an embedded server for installations without one.
 *
 * Guarantees: a start waits until the database is available; replicas that start together migrate it once; the embedded
 * server is reached only through a private unix socket, survives a killed process (the next start uses it), is restarted
 * when it crashes, and is not stopped while another process uses it.
 *
 * check/ says what is wrong with a server, its migrations and its schema, and has the form in which every lib reports what
 * is wrong with its tables: findings. A check reads in transactions in which nothing can be changed.
 *
 * Does not: log queries, define entities (each lib defines its own), read the environment, or make backups. The embedded
 * server is for trials and small installations: one machine, no replication, not on Windows.
 */
export { addFinding, counted, fault, type Finding, warning } from './check/finding';
export {
  isMigratable,
  migrationFindings,
  type MigrationState,
  migrationState,
} from './check/migration-state';
export { CHECK_STATEMENT_MS, ReadOnlyDataSource } from './check/read-only-data-source';
export { countRows, schemaFindings } from './check/schema';
export { OLDEST_SERVER, type ServerFacts, serverFacts } from './check/server-facts';
export { clientOptionsOf, CONNECTIONS_OF_A_PROCESS, dataSourceOptions } from './data-source';
export { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/embedded-postgres';
export { findEmbeddedDatabase } from './embedded/postgres-directory';
export { type AddressNames, DatabaseStartError, reasonOf, tlsFaultOf } from './connection/connection-fault';
export {
  type AddressSource,
  addressNames,
  connectionAdvice,
  isConnectionRefused,
} from './connection/connection-advice';
export { connectionOptions } from './connection/connection-options';
export { DatabaseClient } from './connection/database-client';
export { connectAndMigrate } from './migrate';
export { SchemaRefused } from './run-migrations';
export { ServiceDataSource } from './service-data-source';
export { optionalTimeColumn, timeColumn } from './time-column';
export { InFlight } from './in-flight';
export { HourlySweep } from './hourly-sweep';
export { waitAtStop, within } from './stop-wait';
export {
  breaksConstraint,
  falseIfUnavailable,
  isDatabaseUnavailable,
  mayBeCommitted,
  sqlStateOf,
} from './database-errors';
export { keepsFromStoring, type Outage, outageOf } from './outage';
