import 'reflect-metadata';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Config, ConfigError, configFrom, generateEnvFile, readEnvironment } from '#config';
import { SealingKeyService } from '#credentials';
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
import { type Provider } from '#providers';
import { createApp } from './create-app';
import { tuneGarbageCollection } from './garbage-collection';

async function main(): Promise<void> {
  tuneGarbageCollection();
  const directory = process.cwd();
  const isInTerminal = isatty(0) && hasTerminal();
  const isDevelopment = process.env.NODE_ENV?.trim() !== 'production';
  const hasGenerated =
    isDevelopment &&
    !existsSync(join(directory, '.env')) &&
    needsSecrets(directory) &&
    generateEnvFile(directory);
  const configFactory = configFrom(readEnvironment(process.env, directory));
  const config = configFactory();
  const log = createLog(config.logLevel, config.secrets);
  const note = (message: string) => log.info(message);
  if (hasGenerated) note('wrote .env with generated secrets for development; keep the file');

  const catalogue = ModelCatalogue.load(resolve(config.aiModelsFile ?? shippedModelsFile()));
  const faults = config.faultsOfDeclared(catalogue.providers.declared);
  if (faults.length > 0) throw new ConfigError(faults);
  for (const warning of warningsOf(catalogue)) log.warn(warning);
  const watch = CatalogueWatch.start(catalogue, log, config);
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
      // Stop the embedded database even if closing the application failed; nothing else will.
      .then(() => embedded?.stop())
      .catch(noteFault)
      .then(() => process.exit(code));
  };
  // From here on a signal must stop the embedded database too, which would otherwise keep running.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal));
  process.on('SIGHUP', () => {
    if (isInTerminal && !hasTerminal()) stop('SIGHUP');
    else watch.reload();
  });
  // When the log no longer has a reader, stop as after a signal instead of crashing in the middle of requests.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => stop('the log cannot be written'));

  try {
    const databaseUrl = config.databaseUrl?.expose() ?? embedded?.urlOf('tenkey') ?? '';
    app = await createApp({ configFactory, databaseUrl, catalogue, log, ownPort: () => port });
    logMode(config, catalogue.providers.all, log);
    logProxies(config.egressProxies, log);
    const cut = config.cutAddressesOf(catalogue.providers.all);
    if (cut.length > 0) {
      log.warn(`${cut.join(', ')}: the value is the URL of a request, so only its base URL is used`);
    }
    const keys = await app.get(SealingKeyService).check();
    if (keys.reason) log.error({ missing_keys: keys.missingKeys }, keys.reason);
    await app.listen(config.port, config.host);
    port = (app.getHttpServer().address() as { port: number }).port;
  } catch (error) {
    // A signal arrived meanwhile, and its stop exits the process.
    if (isStopping) return;
    await embedded?.stop();
    throw error;
  }
  const host = config.host === '0.0.0.0' ? '127.0.0.1' : config.host;
  const base = `http://${host}:${port}`;
  note(`listening on ${base}`);
  note(`${catalogue.file} is watched for changes; SIGHUP to process ${process.pid} reads it at once`);
  if (isDevelopment) printNextSteps(base);
}

function logMode(config: Config, providers: readonly Provider[], log: Log): void {
  if (!config.tenantCredentialsEnabled) {
    log.info('mode: single-tenant. All tenants use the global keys of the environment.');
    return;
  }
  log.info('mode: strict. Every tenant uses its own credentials; there is no fallback.');
  const present = config.globalVariablesPresent(providers);
  if (present.length > 0) log.warn(`these variables are not read in strict mode: ${present.join(', ')}`);
  if (config.legacyModelsUseGlobalKeys)
    log.warn('LEGACY_MODELS_USE_GLOBAL_KEYS=true: the global keys pay for legacy models.');
}

function logProxies({ forHttps, forHttp, warnings }: Config['egressProxies'], log: Log): void {
  for (const warning of warnings) log.warn(warning);
  const names = [forHttps, forHttp].flatMap((proxy) => proxy?.place ?? []);
  if (names.length > 0) log.info(`calls go through the proxy ${[...new Set(names)].join(' and ')}`);
}

function printNextSteps(base: string): void {
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

/** A terminal sends SIGHUP when it is closed, and the process must stop with it; any other SIGHUP requests a reload. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

/** A start in development that has its keys in the environment already needs no .env. */
function needsSecrets(directory: string): boolean {
  const env = readEnvironment(process.env, directory);
  return !('INTRIC_SUPER_API_KEY' in env && 'ENCRYPTION_KEY' in env);
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

/** Says how to fix an address that Tenkey cannot listen on; undefined for any other error. */
function listenFault(error: NodeJS.ErrnoException): string | undefined {
  if (error.syscall !== 'listen') return undefined;
  return `Tenkey cannot start:\n  - ${error.message}. Set PORT or HOST to a free address of this machine.`;
}
