import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getDataSourceToken } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { configFrom } from '#config';
import { generateKey } from '#crypto';
import { startEmbeddedPostgres } from '#database';
import { createLog } from '#log';
import { ModelCatalogue } from '#model-routing';
import { createApp } from '../../apps/api/create-app';
import { type ProviderServer, startProviderServer } from '../support/provider-server';
import { say, secret, step } from './output';

export type CleanUp = () => Promise<unknown>;

export interface Stage {
  readonly base: string;
  readonly provider: ProviderServer;
  readonly databaseUrl: string;
  readonly database: DataSource;
  readonly superKey: string;
  readonly platformKey: string;
}

/** What differs between the demos. */
interface Parts {
  /** The text of the model catalogue. */
  readonly models: string;
  /** Absent: one that is never printed. */
  readonly superKey?: string;
  /** Absent: the console is not served. */
  readonly consoleFolder?: string;
  /** Absent: a free one. */
  readonly port?: number;
}

/** @param cleanUps receives what must be undone at the end, in the order in which it was made */
export async function setUp(cleanUps: CleanUp[], parts: Parts): Promise<Stage> {
  step('Start: an embedded PostgreSQL, a local provider, and Tenkey');
  const folder = await mkdtemp(join(tmpdir(), 'tenkey-demo-'));
  const remove = (path: string) => cleanUps.push(() => rm(path, { recursive: true, force: true }));
  remove(folder);
  // Started by root, the server runs as another user, which needs access to the folder.
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDirectory: folder, log: () => undefined });
  remove(postgres.dataDirectory);
  remove(postgres.socketDirectory);
  cleanUps.push(() => postgres.stop());
  const provider = await startProviderServer();
  cleanUps.push(() => provider.close());

  const superKey = parts.superKey ?? secret(randomBytes(24).toString('hex'));
  const platformKey = secret(randomBytes(24).toString('hex'));
  const databaseUrl = postgres.urlOf('tenkey');
  const configFactory = configFrom({
    DATABASE_URL: databaseUrl,
    INTRIC_SUPER_API_KEY: superKey,
    PLATFORM_API_KEY: platformKey,
    ENCRYPTION_KEY: secret(generateKey()),
    ANTHROPIC_BASE_URL: provider.url,
    ...Object.fromEntries(
      ['OPENAI', 'MISTRAL', 'OVHCLOUD', 'BERGET'].map((name) => [`${name}_BASE_URL`, `${provider.url}/v1`]),
    ),
    EGRESS_ALLOW: `127.0.0.1:${provider.port}`,
    LOG_LEVEL: 'silent',
  });
  const catalogue = ModelCatalogue.parse(parts.models, 'demo');
  let port: number | undefined = undefined;
  const log = createLog(configFactory().logLevel, [], process.stdout);
  const app = await createApp({
    configFactory,
    databaseUrl,
    catalogue,
    log,
    ownPort: () => port,
    consoleFolder: parts.consoleFolder,
  });
  cleanUps.push(() => app.close());
  await app.listen(parts.port ?? 0, '127.0.0.1');
  port = (app.getHttpServer().address() as { port: number }).port;
  const base = `http://127.0.0.1:${port}`;
  say(`Tenkey    ${base}`);
  say(`provider  ${provider.url}`);
  const database = app.get<DataSource>(getDataSourceToken());
  return { base, provider, databaseUrl, database, superKey, platformKey };
}
