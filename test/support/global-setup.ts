import 'reflect-metadata';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../libs/database/data-source';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../libs/database/embedded/embedded-postgres';
import { connectAndMigrate } from '../../libs/database/migrate';
import { execute, templateDatabase, urlFor } from './postgres';

declare global {
  var tenkeyTestServer: { server: EmbeddedPostgres; directory: string } | undefined;
}

/** Provides one server for the whole run: TEST_DATABASE_URL, or an embedded one in a new folder. */
export default async function globalSetup(): Promise<void> {
  const address = process.env.TEST_DATABASE_URL ?? (await startServer());
  const template = urlFor(address, templateDatabase);
  await execute(
    address,
    `drop database if exists ${templateDatabase} with (force)`,
    `create database ${templateDatabase} template template0`,
  );
  const dataSource = new DataSource(dataSourceOptions({ url: template, entities: [] }));
  await connectAndMigrate(dataSource, { waitSeconds: 10, log: () => undefined });
  // PostgreSQL does not copy a template that has a connection.
  await dataSource.destroy();
  process.env.TENKEY_TEST_SERVER = address;
}

async function startServer(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tenkey-test-'));
  // Started by root, the server runs as another user, which needs access to the folder.
  await chmod(directory, 0o755);
  const server = await startEmbeddedPostgres({ dataDirectory: directory, log: () => undefined });
  globalThis.tenkeyTestServer = { server, directory };
  const address = server.urlOf('postgres');
  // The data is deleted after the run, so that it need not reach the disk or be vacuumed.
  const careful = ['fsync', 'synchronous_commit', 'full_page_writes', 'autovacuum'];
  const hasty = careful.map((name) => `alter system set ${name} = off`);
  await execute(address, ...hasty, 'select pg_reload_conf()');
  return address;
}
