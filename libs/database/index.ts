/**
 * The one PostgreSQL: its options, its schema (migrations), and an embedded server for those who have none.
 *
 * Guarantees: a start waits for a database that is not there yet; replicas that start together migrate once; the
 * embedded server is reached through a private unix socket only, survives a killed process (the next start adopts it),
 * is started again when it dies, and is never stopped under another process that uses it.
 *
 * Does not: log queries, know entities (each lib brings its own), read the environment, or back anything up. The
 * embedded server is for trying out and small installations: one machine, no replication, not on Windows.
 */
export { dataSourceOptions } from './data-source';
export { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded/embedded-postgres';
export { connectAndMigrate, DatabaseStartError } from './migrate';
export { ServiceDataSource } from './service-data-source';
export { waitAtStop } from './stop-wait';
export { isDatabaseUnavailable, mayBeCommitted, sqlStateOf } from './unavailable';
export { within } from './within';
