import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type ServerCertificate } from './certificates';
import { dialectOf, errorBody, type ProviderRequest } from './answer-parts';
import { usualAnswer } from './provider-answers';
import { ProviderMemory } from './provider-responses';

/** Changes the response to the next request. What is absent stays as usual. */
export interface NextAnswer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  delayMs?: number;
  /** Closes the connection after this many parts of a stream. */
  breakAfterChunks?: number;
  /** Sends every request header back, under its own name, `x-request-id` and `x-echo-...`. */
  echoRequestHeaders?: boolean;
  chunkDelayMs?: number;
  /** The raw parts of the body, in place of the usual ones. */
  chunks?: string[];
  /** A body of any size, sent only as fast as the connection accepts it. */
  flow?: Flow;
  /** The request's body is not read before this resolves. */
  readAfter?: Promise<unknown>;
}

export interface Flow {
  readonly type: string;
  readonly parts: Iterable<Buffer>;
  /** Whether the response stays open after the parts. */
  readonly isEndless?: boolean;
}

/** Counts the requests whose first byte arrived, by their outcome. */
export interface Calls {
  begun: number;
  /** Requests whose connection was closed before the response was complete. */
  aborted: number;
  /** Requests that are neither completed nor aborted. */
  open: number;
  /** The bytes of all `flow` bodies that the connections have taken. */
  sentBytes: number;
}

/** Counts the connections that clients have opened. */
export interface Connections {
  opened: number;
  /** Those that are not closed. */
  open: number;
}

export interface ProviderServer {
  readonly url: string;
  readonly port: number;
  /** The requests that arrived completely. */
  readonly requests: ProviderRequest[];
  readonly calls: Readonly<Calls>;
  readonly connections: Readonly<Connections>;
  next(answer: NextAnswer): void;
  /** The key gets 401 from now on, with the key in the message. */
  rejectKey(key: string): void;
  reset(): void;
  close(): Promise<void>;
}

/**
 * A real HTTP server on a free port of 127.0.0.1 that speaks OpenAI's, Azure's and Anthropic's formats (provider-answers.ts), and
 * keeps responses (provider-responses.ts).
 * @param certificate absent: without TLS
 */
export async function startProviderServer(certificate?: ServerCertificate): Promise<ProviderServer> {
  const requests: ProviderRequest[] = [];
  const queue: NextAnswer[] = [];
  const rejected = new Set<string>();
  const memory = new ProviderMemory();
  const none: Calls = { begun: 0, aborted: 0, open: 0, sentBytes: 0 };
  const calls = { ...none };
  const connections: Connections = { opened: 0, open: 0 };

  const serve = (incoming: IncomingMessage, response: ServerResponse) => {
    calls.begun += 1;
    calls.open += 1;
    response.once('close', () => {
      calls.open -= 1;
      if (!response.writableFinished) calls.aborted += 1;
    });
    void answer(incoming, response).catch(() => response.destroy());
  };
  const server = certificate === undefined ? createServer(serve) : createTlsServer(certificate, serve);

  server.on('connection', (socket) => {
    connections.opened += 1;
    connections.open += 1;
    socket.once('close', () => (connections.open -= 1));
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const next = queue.shift() ?? {};
    await next.readAfter;
    const request = await read(incoming);
    requests.push(request);
    response.on('close', () => (request.aborted = !response.writableFinished));
    if (next.delayMs !== undefined) await wait(next.delayMs, undefined, { ref: false });
    if (next.echoRequestHeaders === true) echo(request, response);
    for (const [name, value] of Object.entries(next.headers ?? {})) response.setHeader(name, value);
    const dialect = dialectOf(request.path);

    if (next.flow !== undefined) {
      response.writeHead(next.status ?? 200, { 'content-type': next.flow.type });
      return pour(next.flow, response, calls);
    }
    if (next.status !== undefined || next.body !== undefined) {
      const status = next.status ?? 200;
      const body = next.body ?? (status >= 400 ? errorBody(dialect, status, `status ${status}`) : '');
      return send(response, status, body);
    }
    if (request.key === undefined || rejected.has(request.key)) {
      return send(response, 401, errorBody(dialect, 401, `Incorrect API key provided: ${request.key}.`));
    }
    const usual = usualAnswer(request, dialect, memory);
    if (next.chunks === undefined && !('events' in usual)) {
      return send(response, usual.status, usual.body, usual.type);
    }
    const chunks = next.chunks ?? ('events' in usual ? usual.events : []);
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.flushHeaders();
    for (const [index, chunk] of chunks.entries()) {
      if (index === next.breakAfterChunks) return void response.destroy();
      if (response.destroyed) return;
      response.write(chunk);
      await wait(next.chunkDelayMs ?? 1, undefined, { ref: false });
    }
    if (chunks.length === next.breakAfterChunks) return void response.destroy();
    response.end();
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests,
    calls,
    connections,
    next: (each) => void queue.push(each),
    rejectKey: (key) => void rejected.add(key),
    reset: () => {
      requests.length = 0;
      queue.length = 0;
      rejected.clear();
      Object.assign(calls, { ...none, open: calls.open });
      connections.opened = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function pour({ parts, isEndless }: Flow, response: ServerResponse, calls: Calls): Promise<void> {
  const closed = once(response, 'close');
  for (const part of parts) {
    if (!response.write(part)) await Promise.race([once(response, 'drain'), closed]);
    if (response.destroyed) return;
    calls.sentBytes += part.length;
  }
  if (isEndless !== true) response.end();
}

async function read(incoming: IncomingMessage): Promise<ProviderRequest> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  const rawBody = bytes.toString('utf8');
  const url = new URL(incoming.url ?? '/', 'http://provider');
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
  const bearer = /^Bearer (.*)$/.exec(headers['authorization'] ?? '')?.[1];
  let body: unknown;
  try {
    body = JSON.parse(rawBody);
  } catch {
    body = undefined;
  }
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers,
    rawBody,
    body,
    form: await formOf(bytes, headers['content-type'] ?? ''),
    key: bearer ?? headers['api-key'] ?? headers['x-api-key'],
    aborted: false,
  };
}

async function formOf(bytes: Buffer, type: string): Promise<Record<string, unknown> | undefined> {
  if (!type.startsWith('multipart/form-data')) return undefined;
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
  return Object.fromEntries(
    [...form].map(([name, value]) => [
      name,
      typeof value === 'string' ? value : { name: value.name, type: value.type, size: value.size },
    ]),
  );
}

function echo(request: ProviderRequest, response: ServerResponse): void {
  for (const [name, value] of Object.entries(request.headers)) {
    if (['connection', 'content-length', 'transfer-encoding', 'content-type'].includes(name)) continue;
    response.setHeader(name, value);
    response.setHeader(`x-echo-${name}`, value);
    response.setHeader(`x-ratelimit-echo-${name}`, value);
  }
  if (request.key !== undefined) {
    response.setHeader('x-request-id', request.key);
    response.setHeader('x-ms-region', Buffer.from(request.key).toString('base64'));
  }
}

function send(response: ServerResponse, status: number, body: unknown, type?: string): void {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  if (!response.hasHeader('content-type')) {
    response.setHeader('content-type', type ?? (isRaw ? 'text/plain' : 'application/json'));
  }
  response.writeHead(status);
  response.end(isRaw ? body : JSON.stringify(body));
}
