import 'reflect-metadata';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Config, ConfigError, configFrom, generateEnvFile, readEnvironment } from '#config';
import { KeyCanaryService } from '#credentials';
import { DatabaseStartError, startEmbeddedPostgres } from '#database';
import { sysadminPrefix } from '#http';
import { createLog, type Log } from '#log';
import {
  CatalogueError,
  CatalogueWatch,
  ModelCatalogue,
  shippedModelsFile,
  warningsOf,
} from '#model-routing';
import { createApp } from './create-app';

async function main(): Promise<void> {
  const directory = process.cwd();
  const isInTerminal = isatty(0) && hasTerminal();
  const isDevelopment = process.env.NODE_ENV !== 'production';
  const hasGenerated =
    isDevelopment && !existsSync(join(directory, '.env')) && needsSecrets() && generateEnvFile(directory);
  const configFactory = configFrom(readEnvironment(process.env, directory));
  const config = configFactory();
  const log = createLog(config.logLevel, config.secrets);
  const note = (message: string) => log.info(message);
  if (hasGenerated) note('wrote .env with generated development secrets; keep it');

  const catalogue = ModelCatalogue.load(resolve(config.aiModelsFile ?? shippedModelsFile()));
  for (const warning of warningsOf(catalogue)) log.warn(warning);
  const watch = CatalogueWatch.start(catalogue, log);
  const embedded = config.databaseUrl
    ? undefined
    : await startEmbeddedPostgres({ dataDirectory: config.dataDirectory, log: note });
  let app: NestFastifyApplication | undefined = undefined;
  let port: number | undefined = undefined;

  let isStopping = false;
  const stop = (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    note(`${signal}: stopping`);
    watch.stop();
    let code = 0;
    const noteFault = (error: unknown) => {
      log.error({ err: error }, 'the stop failed');
      code = 1;
    };
    void Promise.resolve(app?.close())
      .catch(noteFault)
      // Also then: nobody else would stop it.
      .then(() => embedded?.stop())
      .catch(noteFault)
      .then(() => process.exit(code));
  };
  // From here on, since the embedded database runs on without us.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal));
  process.on('SIGHUP', () => {
    if (isInTerminal && !hasTerminal()) stop('SIGHUP');
    else watch.reload();
  });
  // A service that nobody reads the log of ends as at a signal, and not in the middle of what it does.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => stop('the log cannot be written'));

  try {
    const databaseUrl = config.databaseUrl?.expose() ?? embedded?.urlOf('tenkey') ?? '';
    app = await createApp({ configFactory, databaseUrl, catalogue, log, ownPort: () => port });
    sayMode(config, log);
    const keys = await app.get(KeyCanaryService).check();
    if (keys.reason) log.error({ missing_keys: keys.missingKeys }, keys.reason);
    await app.listen(config.port, config.host);
    port = (app.getHttpServer().address() as { port: number }).port;
  } catch (error) {
    // The stop that a signal began ends the process.
    if (isStopping) return;
    await embedded?.stop();
    throw error;
  }
  const shown = config.host === '0.0.0.0' ? '127.0.0.1' : config.host;
  const base = `http://${shown}:${port}`;
  note(`listening on ${base}`);
  note(`${catalogue.file} is watched; SIGHUP to process ${process.pid} reads it at once`);
  if (isDevelopment) sayWhatIsNext(base);
}

function sayMode(config: Config, log: Log): void {
  if (!config.tenantCredentialsEnabled) {
    log.info('mode: single-tenant. All tenants use the global keys of the environment.');
    return;
  }
  log.info('mode: strict. Every tenant uses its own credentials; there is no fallback.');
  if (config.globalVariablesPresent.length > 0) {
    log.warn(`not used in strict mode, and not read: ${config.globalVariablesPresent.join(', ')}`);
  }
  if (config.legacyModelsUseGlobalKeys)
    log.warn('LEGACY_MODELS_USE_GLOBAL_KEYS=true: the global keys pay for legacy models.');
}

function sayWhatIsNext(base: string): void {
  process.stdout.write(
    [
      '',
      `  Swagger UI   ${base}/docs`,
      '',
      '  Next, in another terminal in this folder:',
      '    set -a; . ./.env; set +a',
      `    curl -sX POST ${base}${sysadminPrefix}/tenants -H "X-API-Key: $INTRIC_SUPER_API_KEY" -H 'content-type: application/json' -d '{"name":"sundsvall"}'`,
      '',
      '',
    ].join('\n'),
  );
}

/** A terminal that is closed sends the signal that else asks for a reload; nobody is there then to stop the process. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/** A development start that already has its keys in the environment gets no .env. */
function needsSecrets(): boolean {
  return !process.env.INTRIC_SUPER_API_KEY || !process.env.ENCRYPTION_KEY;
}

main().catch((error: unknown) => {
  const isExpected = [ConfigError, CatalogueError, DatabaseStartError].some((type) => error instanceof type);
  const text =
    error instanceof Error
      ? isExpected
        ? error.message
        : (listenFault(error) ?? error.stack ?? error.message)
      : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});

/** What to do about an address that cannot be listened on; undefined for any other error. */
function listenFault(error: NodeJS.ErrnoException): string | undefined {
  if (error.syscall !== 'listen') return undefined;
  return `Tenkey cannot start:\n  - ${error.message}. Set PORT or HOST to an address that is free and yours.`;
}
