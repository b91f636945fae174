import 'reflect-metadata';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError, generateEnvFile, loadConfig, readEnvironment } from '#config';
import { KeyCanary } from '#credentials';
import { DatabaseStartError, startEmbeddedPostgres } from '#database';
import { createLog } from '#http';
import { CatalogueError, ModelCatalogue } from '#model-routing';
import { createApp } from './create-app';
import { processSecrets } from './process-secrets';

async function main(): Promise<void> {
  const directory = process.cwd();
  const isDevelopment = process.env.NODE_ENV !== 'production';
  const hasGenerated =
    isDevelopment && !existsSync(join(directory, '.env')) && needsSecrets() && generateEnvFile(directory);
  const config = loadConfig(readEnvironment(process.env, directory));
  const log = createLog(config.logLevel, processSecrets(config));
  const note = (message: string) => log.info(message);
  if (hasGenerated) note('wrote .env with generated development secrets; keep it');

  const catalogue = ModelCatalogue.load(config.aiModelsFile ?? shippedModels());
  for (const warning of catalogue.warnings) log.warn(warning);
  const embedded = config.databaseUrl
    ? undefined
    : await startEmbeddedPostgres({ dataDirectory: config.dataDirectory, log: note });
  const databaseUrl = config.databaseUrl?.expose() ?? embedded?.urlOf('tenkey') ?? '';
  let port: number | undefined = undefined;
  const app = await createApp({ config, databaseUrl, catalogue, log, ownPort: () => port });

  if (config.tenantCredentialsEnabled) {
    note('mode: strict. Every tenant uses its own credentials; there is no fallback.');
    if (config.globalVariablesPresent.length > 0) {
      log.warn(`not used in strict mode, and not read: ${config.globalVariablesPresent.join(', ')}`);
    }
    if (config.legacyModelsUseGlobalKeys)
      log.warn('LEGACY_MODELS_USE_GLOBAL_KEYS=true: the global keys pay for legacy models.');
  } else note('mode: single-tenant. All tenants use the global keys of the environment.');
  const keys = await app.get(KeyCanary).check();
  if (keys.reason) log.error({ missing_keys: keys.missingKeys }, keys.reason);

  await app.listen(config.port, config.host);
  port = (app.getHttpServer().address() as { port: number }).port;
  const shown = config.host === '0.0.0.0' ? '127.0.0.1' : config.host;
  const base = `http://${shown}:${port}`;
  note(`listening on ${base}`);
  if (isDevelopment) {
    process.stdout.write(
      [
        '',
        `  Swagger UI   ${base}/docs`,
        '',
        '  Next, in another terminal in this folder:',
        '    set -a; . ./.env; set +a',
        `    curl -sX POST ${base}/api/v1/sysadmin/tenants -H "X-API-Key: $INTRIC_SUPER_API_KEY" -H 'content-type: application/json' -d '{"name":"sundsvall"}'`,
        '',
        '',
      ].join('\n'),
    );
  }

  let isStopping = false;
  const stop = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    note(`${signal}: stopping`);
    void app
      .close()
      .then(() => embedded?.stop())
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        log.error({ err: error }, 'the stop failed');
        process.exit(1);
      });
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
}

/** A development start that already has its keys in the environment gets no .env. */
function needsSecrets(): boolean {
  return !process.env.INTRIC_SUPER_API_KEY || !process.env.ENCRYPTION_KEY;
}

/** ai_models.yml as shipped, from the sources as well as from dist/. */
function shippedModels(): string {
  let folder = __dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'apps', 'api', 'ai_models.yml');
}

main().catch((error: unknown) => {
  const isExpected = [ConfigError, CatalogueError, DatabaseStartError].some((type) => error instanceof type);
  const text =
    error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
