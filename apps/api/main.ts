import 'reflect-metadata';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  type Config,
  ConfigError,
  type ConfigFactory,
  configFrom,
  generateEnvFile,
  readEnvironment,
} from '#config';
import { SealingKeyService } from '#credentials';
import { type Secret } from '#crypto';
import { DatabaseStartError, type EmbeddedPostgres, startEmbeddedPostgres, within } from '#database';
import { hooks, sysadminPrefix } from '#http';
import { createLog, type Log, standardOutput } from '#log';
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
import { HttpServer } from './http-server';
import { notReady } from './ready-state';

/**
 * A start that takes longer than this, such as one that waits for the database, begins to listen meanwhile. A faster one does not:
 * a load balancer sends a call to another process while it cannot connect to this one.
 */
const LISTEN_AFTER_MS = 3000;
/** npm and terminals send each signal twice, so a second one counts only after this time. */
const SECOND_SIGNAL_MS = 500;
/** How long a stop at a second signal waits for the embedded database. */
const STOP_AT_ONCE_MS = 1000;

async function main(): Promise<void> {
  tuneGarbageCollection();
  const output = await standardOutput();
  let secrets: readonly Secret[] = [];
  // Faults are logged at any LOG_LEVEL, and also before it is known.
  const fail = (error: unknown) => {
    logFault(createLog('fatal', secrets, output), error);
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  const directory = process.cwd();
  const isInTerminal = isatty(0) && hasTerminal();
  try {
    const hasGenerated =
      process.env.NODE_ENV?.trim() !== 'production' &&
      !existsSync(join(directory, '.env')) &&
      needsSecrets(directory) &&
      generateEnvFile(directory);
    const configFactory = configFrom(readEnvironment(process.env, directory));
    const config = configFactory();
    secrets = config.secrets;
    const log = createLog(config.logLevel, secrets, output);
    if (hasGenerated) log.info('wrote .env with generated secrets for development; keep the file');
    // Node itself writes its warnings as plain text.
    process.removeAllListeners('warning').on('warning', (warning) => log.warn({ err: warning }, 'warning'));
    await run({ configFactory, log, isInTerminal, fail });
  } catch (error) {
    fail(error);
  }
}

interface Start {
  readonly configFactory: ConfigFactory;
  readonly log: Log;
  readonly isInTerminal: boolean;
  /** Logs the error and exits. */
  readonly fail: (error: unknown) => void;
}

async function run({ configFactory, log, isInTerminal, fail }: Start): Promise<void> {
  const config = configFactory();
  const note = (message: string) => log.info(message);
  const catalogue = ModelCatalogue.load(resolve(config.aiModelsFile ?? shippedModelsFile()));
  const faults = config.faultsOfDeclared(catalogue.providers.declared);
  if (faults.length > 0) throw new ConfigError(faults);
  for (const warning of warningsOf(catalogue)) log.warn(warning);
  const watch = CatalogueWatch.start(catalogue, log, config);
  const server = new HttpServer(log, () =>
    notReady(config, catalogue, 'Tenkey is starting and waits for its database. Its log says why.'),
  );
  let embedded: Promise<EmbeddedPostgres> | undefined = undefined;
  const stopEmbedded = async () => (await embedded?.catch(() => undefined))?.stop();
  let app: NestFastifyApplication | undefined = undefined;
  let stoppingSince: number | undefined = undefined;

  const stop = (reason: string, end: () => Promise<unknown>) => {
    stoppingSince = performance.now();
    note(reason);
    watch.stop();
    let code = 0;
    const noteFault = (error: unknown) => {
      log.error({ err: error }, 'the stop failed');
      code = 1;
    };
    void end()
      .catch(noteFault)
      // Stop the embedded database even if closing the application failed; nothing else will.
      .then(stopEmbedded)
      .catch(noteFault)
      .then(() => process.exit(code));
  };
  const close = async () => app?.close();
  const drainAndClose = async () => {
    app?.get(hooks.RunningRequests).announceStop();
    if (app) await sleep(config.drainSeconds * 1000);
    await close();
  };
  const onSignal = (signal: string) => {
    if (stoppingSince === undefined) {
      const isDraining = app !== undefined && config.drainSeconds > 0;
      stop(
        `${signal}: stopping${isDraining ? `; calls are accepted for ${config.drainSeconds} s more` : ''}`,
        drainAndClose,
      );
    } else if (performance.now() - stoppingSince >= SECOND_SIGNAL_MS) {
      log.warn(`${signal} again: stopping at once`);
      void within(STOP_AT_ONCE_MS, stopEmbedded()).finally(() => process.exit(1));
    }
  };
  // From here on a signal must stop the embedded database too, which would otherwise keep running.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => onSignal(signal));
  process.on('SIGHUP', () => {
    if (isInTerminal && !hasTerminal()) onSignal('SIGHUP');
    else watch.reload();
  });
  // When the log no longer has a reader, stop as after a signal instead of crashing in the middle of requests.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', () => {
      if (stoppingSince === undefined) stop('the log cannot be written', close);
    });
  }
  const abort = async (error: unknown) => {
    // A signal arrived meanwhile, and its stop exits the process.
    if (stoppingSince !== undefined) return;
    await stopEmbedded().catch(() => undefined);
    fail(error);
  };

  try {
    const earlyListening = setTimeout(() => void server.listen(config).catch(abort), LISTEN_AFTER_MS);
    if (!config.databaseUrl)
      embedded = startEmbeddedPostgres({ dataDirectory: config.dataDirectory, log: note });
    const databaseUrl = config.databaseUrl?.expose() ?? (await embedded)?.urlOf('tenkey') ?? '';
    const isConnected = () => clearTimeout(earlyListening);
    const ownPort = () => server.port;
    const consoleFolder = builtConsole(log);
    app = await createApp({
      configFactory,
      databaseUrl,
      isConnected,
      catalogue,
      log,
      ownPort,
      server,
      consoleFolder,
    });
    logMode(config, catalogue.providers.all, log);
    logProxies(config.egressProxies, log);
    const cut = config.cutAddressesOf(catalogue.providers.all);
    if (cut.length > 0) {
      log.warn(`${cut.join(', ')}: the value is the URL of a request, so only its base URL is used`);
    }
    const keys = await app.get(SealingKeyService).check();
    if (keys.reason) log.error({ missing_keys: keys.missingKeys }, keys.reason);
    server.serve();
    await server.listen(config);
  } catch (error) {
    return abort(error);
  }
  const host = config.host === '0.0.0.0' ? '127.0.0.1' : config.host;
  const base = `http://${host}:${server.port}`;
  note(`listening on ${base}`);
  note(`${catalogue.file} is watched for changes; SIGHUP to process ${process.pid} reads it at once`);
  if (config.isProduction) return;
  if (config.console) note(`console ${base}/`);
  if (config.docs) note(`Swagger UI ${base}/docs`);
  showNextSteps(base, note);
}

/** @returns undefined if the build did not write it */
function builtConsole(log: Log): string | undefined {
  const folder = join(__dirname, '../../console');
  if (existsSync(join(folder, 'index.html'))) return folder;
  log.warn('the console is not served, because dist/console is missing; `npm run build` makes it');
  return undefined;
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

/** What somebody who has just installed Tenkey does next. */
function showNextSteps(base: string, note: (message: string) => void): void {
  const commands = [
    'set -a; . ./.env; set +a',
    `curl -sX POST ${base}${sysadminPrefix}/tenants -H "X-API-Key: $INTRIC_SUPER_API_KEY" -H 'content-type: application/json' -d '{"name":"sundsvall"}'`,
  ];
  const heading = 'Next, in another terminal in this folder:';
  // A program that reads the log expects nothing but JSON lines.
  if (!process.stdout.isTTY) return note([heading, ...commands].join('\n'));
  const text = `\n  ${heading}\n${commands.map((line) => `    ${line}\n`).join('')}\n`;
  // The log writes the lines of one turn of the event loop at its end.
  setImmediate(() => process.stdout.write(text));
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

/** Logs what keeps Tenkey from running. A fault that its message explains needs no stack. */
function logFault(log: Log, error: unknown): void {
  const isExpected = [ConfigError, CatalogueError, DatabaseStartError].some((type) => error instanceof type);
  const text = isExpected ? (error as Error).message : listenFault(error);
  if (text === undefined) log.fatal({ err: error }, 'Tenkey has failed');
  else log.fatal(text);
}

/** Says how to fix an address that Tenkey cannot listen on; undefined for any other error. */
function listenFault(error: unknown): string | undefined {
  if (!(error instanceof Error) || (error as NodeJS.ErrnoException).syscall !== 'listen') return undefined;
  return `Tenkey cannot start:\n  - ${error.message}. Set PORT or HOST to a free address of this machine.`;
}

void main();
