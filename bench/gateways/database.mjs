// The embedded PostgreSQL of Tenkey in a process of its own, so that it does not run on the core of the gateway.
//   node gateways/database.mjs <folder> [<most connections>]       prints where it is to the parent process over IPC
import { createRequire } from 'node:module';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startHelper } from './processes.mjs';

const file = fileURLToPath(import.meta.url);
if (process.argv[1] === file) await serve(process.argv[2], process.argv[3]);

async function serve(dataDirectory, maxConnections) {
  const root = join(import.meta.dirname, '../..');
  const { startEmbeddedPostgres } = createRequire(import.meta.url)(join(root, 'dist/libs/database/index.js'));
  let server = await startEmbeddedPostgres({ dataDirectory, log: () => undefined });
  if (maxConnections !== undefined) {
    await run(server.urlOf('postgres'), `alter system set max_connections = ${Number(maxConnections)}`);
    await server.stop();
    server = await startEmbeddedPostgres({ dataDirectory, log: () => undefined });
  }
  const stop = async () => {
    await server.stop();
    // The server may have chosen another folder than the one that it was given.
    for (const folder of [server.dataDirectory, server.socketDirectory])
      rmSync(folder, { recursive: true, force: true });
    process.exit();
  };
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  // Ctrl-C also reaches this process. The parent stops it when nothing uses the database any more.
  process.on('SIGINT', () => undefined);
  const pid = Number(readFileSync(join(server.dataDirectory, 'db/postmaster.pid'), 'utf8').split('\n')[0]);
  process.send({ url: server.urlOf('postgres'), pid });
}

async function run(connectionString, statement) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

export async function startDatabase(folder, { maxConnections } = {}) {
  const options = maxConnections === undefined ? [] : [String(maxConnections)];
  const { first, stop } = await startHelper(file, [folder, ...options]);
  const urlOf = (name) => first.url.replace(/\/postgres$/, `/${name}`);
  const query = (name, statement) => run(urlOf(name), statement);
  /** Makes an empty database, and returns its URL. */
  const create = async (name) => {
    await query('postgres', `drop database if exists ${name} with (force)`);
    await query('postgres', `create database ${name}`);
    return urlOf(name);
  };
  return { pid: first.pid, stop, query, create };
}
