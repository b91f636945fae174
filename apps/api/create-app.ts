import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { RefusedAttemptsService } from '#audit';
import { refuseDisabledEarly } from '#credentials';
import {
  Authentication,
  authenticateEarly,
  KnownRoutes,
  noteAddress,
  pathOf,
  platformPrefix,
  Problem,
  problemOf,
  RunningRequests,
  sendProblem,
} from '#http';
import { NestLog } from '#log';
import { AppModule, type AppParts } from './app.module';
import { onItsTurn } from './pipelining';
import { auditWhenRefused } from './refused-audit';
import { logWhenClosed } from './request-log';
import { addSwagger } from './swagger';

const sysadminBodyLimit = 1024 * 1024;
/** For a request to arrive whole; a slow one would hold its memory. */
const requestTimeoutMs = 300_000;

/** The whole application, initialised and not yet listening. Shared by main.ts and the tests. */
export async function createApp(parts: AppParts): Promise<NestFastifyApplication> {
  const { configFactory, log } = parts;
  const config = configFactory();
  const running = new RunningRequests();
  const begin = (request: FastifyRequest, reply: FastifyReply, goOn: () => void) => {
    noteAddress(request, config.trustProxy);
    onItsTurn(reply, () => {
      running.begin(request, reply);
      logWhenClosed(log, request, reply);
      auditWhenRefused(() => app.get(RefusedAttemptsService), config.secrets, request);
      reply.header('x-tenkey-request-id', request.id);
      goOn();
    });
  };
  const authenticate = authenticateEarly(() => app.get(Authentication));
  const adapter = new FastifyAdapter({
    bodyLimit: sysadminBodyLimit,
    genReqId: () => randomUUID(),
    forceCloseConnections: true,
    // A request on an open connection during a stop is still served; the connection then closes.
    return503OnClosing: false,
    requestTimeout: requestTimeoutMs,
    // Fastify's limit for a plugin's start, 10 s, holds for a stop as well, which waits for calls as long as is set.
    pluginTimeout: 0,
    // Node's own refusal has no body; the hook below answers in our shape.
    http: { requireHostHeader: false },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
    // A path that the router cannot decode runs no hook, so the request begins and its key is asked for here as well.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      begin(request, reply, () =>
        authenticate(request, reply, () =>
          sendProblem(request, reply, new Problem('malformed_request', { cause: new Error(error.name) })),
        ),
      );
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable) return;
      const tooLarge = (error as NodeJS.ErrnoException).code === 'HPE_HEADER_OVERFLOW';
      const status = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
      const body = JSON.stringify({ title: 'The request cannot be read', code: 'malformed_request' });
      socket.end(
        `HTTP/1.1 ${status}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
      );
    },
  });
  const fastify = adapter.getInstance();
  // An expectation other than 100-continue may be ignored (RFC 9110, 10.1.1); Node's own 417 has no body.
  fastify.server.on('checkExpectation', (request, response) =>
    fastify.server.emit('request', request, response),
  );
  const routes = new KnownRoutes();
  fastify.addHook('onRoute', (route) => {
    routes.add(route.method, route.url);
    if (route.url.startsWith(`${platformPrefix}/`)) route.bodyLimit = config.maxBodyBytes;
  });
  fastify.addHook('preClose', async () => {
    fastify.server.close();
    await running.end(config.shutdownSeconds * 1000);
    // Here and in no hook of Nest's: those come before the last request has ended, or after the database is closed.
    await app.get(RefusedAttemptsService).end(config);
  });
  fastify.addHook('onRequest', begin);
  fastify.addHook('onRequest', authenticate);
  fastify.addHook('onRequest', refuseDisabledEarly(config));
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.raw.httpVersion !== '1.1' || request.raw.headers.host !== undefined) return done();
    sendProblem(request, reply, new Problem('malformed_request', { detail: 'The header Host is missing.' }));
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    const methods = request.is404 ? routes.methodsOf(pathOf(request.url)) : [];
    if (methods.length === 0) return done();
    reply.header('allow', methods.join(', '));
    const detail = `This route has ${methods.join(', ')}.`;
    sendProblem(request, reply, new Problem('method_not_allowed', { detail }));
  });
  // A form is read by its route and passed on while it arrives; no other route takes one.
  fastify.addHook('onRequest', (request, reply, done) => {
    const isForm = request.headers['content-type']?.toLowerCase().startsWith('multipart/form-data') === true;
    const takesForm = (request.routeOptions.config as { multipart?: boolean }).multipart === true;
    if (!isForm || takesForm || request.is404) return done();
    sendProblem(request, reply, new Problem('unsupported_media_type', { detail: 'Send the body as JSON.' }));
  });
  // A fault after the head was sent reaches no filter; without this the log takes it for a client that left.
  fastify.addHook('onSend', (request, _reply, payload, done) => {
    if (payload instanceof Readable) payload.once('error', (error) => (request.problem = problemOf(error)));
    done(null, payload);
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.register(parts), adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: new NestLog(log),
  });
  fastify.removeAllContentTypeParsers();
  // Bytes everywhere: /v1 passes them on, the sysadmin routes parse them after their other checks.
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body.length === 0 ? undefined : body),
  );
  fastify.addContentTypeParser('multipart/form-data', (_request, payload, done) => done(null, payload));
  addSwagger(app);
  await app.init();
  await fastify.ready();
  return app;
}
