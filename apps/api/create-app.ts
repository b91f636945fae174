import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { RefusedAttemptsService } from '#audit';
import { refuseDisabled } from '#credentials';
import { connectAndMigrate, dataSourceOptions, ServiceDataSource } from '#database';
import { hooks } from '#http';
import { NestLog } from '#log';
import { UsageLogService } from '#usage';
import { entities } from '../../entities';
import { AppModule, type AppParts } from './app.module';
import { ConsolePage } from './console/console-page';
import { serveConsoleFiles } from './console/serve-files';
import { auditRefused } from './hooks/audit-refused';
import { httpOptions } from './http-server';
import { RequestMetrics } from './metrics/request-metrics';
import { addSwagger } from './swagger';
import { startTraces } from './traces/traces';

/** How long a request may take to arrive completely. A slow one holds memory for that long. */
const requestTimeoutMs = 300_000;

/** The complete application, initialised and not yet listening. Shared by main.ts and the tests. */
export async function createApp(parts: AppParts): Promise<NestFastifyApplication> {
  const { configFactory, databaseUrl, catalogue, log, server } = parts;
  const config = configFactory();
  const traces = await startTraces(config);
  // Before Nest creates anything: it would log each fault of the database, which the caller does.
  const databaseAddresses = new Set<string>();
  const dataSource = new ServiceDataSource(
    dataSourceOptions({ url: databaseUrl, entities, addresses: databaseAddresses }),
  );
  await connectAndMigrate(dataSource, {
    source: config.databaseSetting,
    directUrl: config.databaseDirectUrl?.expose(),
    waitSeconds: config.databaseWaitSeconds,
    log: (message: string) => log.info(message),
  });
  parts.isConnected?.();
  const running = new hooks.RunningRequests();
  const requests = new RequestMetrics(running);
  const methods = new hooks.RouteMethods();
  const begin = hooks.beginRequest({
    proxies: config.trustProxy,
    memory: new hooks.BodyMemory(config),
    running,
    secrets: config.secrets,
    publicUrl: config.publicUrl,
    log,
    onProblem: auditRefused(() => app.get(RefusedAttemptsService), catalogue.providers, config.secrets),
    onEnd:
      traces === undefined
        ? requests.count
        : (request, status) => {
            requests.count(request, status);
            traces.end(request, status);
          },
  });
  const authenticate = hooks.authenticate(() => app);
  const adapter = new FastifyAdapter({
    genReqId: () => randomUUID(),
    forceCloseConnections: true,
    // A request on an open connection during a stop is still served; the connection then closes.
    return503OnClosing: false,
    requestTimeout: requestTimeoutMs,
    // Fastify applies its limit of 10 s for the start of a plugin to a stop too, which waits for calls as long as the settings say.
    pluginTimeout: 0,
    http: httpOptions,
    ...(server && { serverFactory: server.factory }),
    rewriteUrl: hooks.rewriteUrl,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
    frameworkErrors: hooks.refuseUnreadablePath(begin, authenticate),
    clientErrorHandler: hooks.refuseUnreadableBytes,
  });
  const fastify = adapter.getInstance();
  // An expectation other than 100-continue may be ignored (RFC 9110, 10.1.1); Node's own 417 has no body.
  fastify.server.on('checkExpectation', (request, response) =>
    fastify.server.emit('request', request, response),
  );
  fastify.decorateRequest('tenkey');

  fastify.addHook('onRoute', methods.note);

  // First: every other hook needs request.tenkey, and each problem must be logged.
  fastify.addHook('onRequest', begin);
  if (traces !== undefined) fastify.addHook('onRequest', traces.begin);
  // Before every other check, so that a caller without a key learns nothing about the request.
  fastify.addHook('onRequest', authenticate);
  // Before the checks of the body: routes that are switched off look the same for every body.
  fastify.addHook('onRequest', refuseDisabled(config));
  fastify.addHook('onRequest', hooks.requireHost);
  // A wrong method is refused ahead of a wrong body, which the right method might accept.
  fastify.addHook('onRequest', methods.refuseOthers);
  fastify.addHook('onRequest', hooks.refuseUnknownRoutes);
  fastify.addHook('onRequest', hooks.refuseForms);
  fastify.addHook('onSend', hooks.reportStreamFaults);
  fastify.addHook('onSend', hooks.showInForce);

  fastify.addHook('preClose', running.finish(fastify.server, config.shutdownSeconds * 1000));
  // After the last request, and while the database is still open. Nest's own hooks run too early or too late for that.
  fastify.addHook('preClose', () => app.get(RefusedAttemptsService).end(config));

  const consoleFolder = config.console ? parts.consoleFolder : undefined;
  const page = consoleFolder === undefined ? undefined : new ConsolePage(consoleFolder, config);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(parts, { dataSource, databaseAddresses, running, requests, page }),
    adapter,
    {
      bodyParser: false,
      abortOnError: false,
      logger: new NestLog(log),
    },
  );
  if (traces !== undefined) {
    app.get(UsageLogService, { strict: false }).observe(traces.call);
    fastify.addHook('onClose', () => traces.stop());
  }
  fastify.removeAllContentTypeParsers();
  const bodies = new hooks.BodyReader(config);
  fastify.addContentTypeParser('application/json', bodies.json);
  fastify.addContentTypeParser('multipart/form-data', bodies.form);
  if (config.docs) addSwagger(app, config);
  if (consoleFolder !== undefined) await serveConsoleFiles(fastify, consoleFolder);
  await app.init();
  await fastify.ready();
  return app;
}
