// Simulates processes of Tenkey that serve no calls: each has the feed of changes of a real one, with a connection and a lease.
//   node extra/feeds.mjs <database URL> <number of processes>       tells the parent process over IPC when all are registered
import { createRequire } from 'node:module';
import { join } from 'node:path';

const dist = join(import.meta.dirname, '../../dist/libs');
const require = createRequire(import.meta.url);
const { connectAndMigrate, ServiceDataSource, dataSourceOptions } = require(join(dist, 'database/index.js'));
const { CacheService, ChangesService } = require(join(dist, 'cache/index.js'));
const { ChangeFeedService } = require(join(dist, 'cache/change-feed.service.js'));

export const config = { cacheLeaseSeconds: 5, databaseTimeoutMs: 30_000, shutdownSeconds: 20 };

export async function openDatabase(url) {
  const dataSource = new ServiceDataSource(dataSourceOptions({ url, entities: [] }));
  await connectAndMigrate(dataSource, { waitSeconds: 10, log: () => undefined });
  return dataSource;
}

export function changesOf(dataSource) {
  const cache = new CacheService(config);
  return { cache, changes: new ChangesService(dataSource, cache) };
}

if (process.argv[1] === import.meta.filename) {
  const [, , url, count] = process.argv;
  const dataSource = await openDatabase(url);
  const feeds = Array.from({ length: Number(count) }, () => {
    const { cache, changes } = changesOf(dataSource);
    return new ChangeFeedService(dataSource, config, cache, changes, { keyIds: () => [] });
  });
  // A few at a time, as a rolling start does it.
  for (let at = 0; at < feeds.length; at += 10) {
    await Promise.all(feeds.slice(at, at + 10).map((feed) => feed.onApplicationBootstrap()));
  }
  process.on('SIGTERM', () => process.exit());
  process.on('disconnect', () => process.exit());
  process.send({ isReady: true });
}
