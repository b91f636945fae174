import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** One request as the provider saw it. */
export interface ProviderRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: string;
  /** The body, parsed; undefined when it is no JSON. */
  readonly body: any;
  /** From `authorization: Bearer`, `api-key` or `x-api-key`. */
  readonly key: string | undefined;
  /** Whether the connection was closed before the answer was complete. */
  aborted: boolean;
}

/** What the next request gets in place of the usual answer; everything absent stays usual. */
export interface NextAnswer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  delayMs?: number;
  /** Closes the connection after this many parts of a stream. */
  breakAfterChunks?: number;
  /** Sends every request header back, under its own name and under `x-request-id`, `x-echo-...`. */
  echoRequestHeaders?: boolean;
  chunkDelayMs?: number;
  /** The raw parts of the body, in place of the usual ones. */
  chunks?: string[];
}

export interface ProviderServer {
  readonly url: string;
  readonly port: number;
  readonly requests: ProviderRequest[];
  next(answer: NextAnswer): void;
  /** From now on 401, with the key in the message. */
  rejectKey(key: string): void;
  reset(): void;
  close(): Promise<void>;
}

type DialectOfPath = 'openai' | 'azure' | 'anthropic';

/** A real HTTP server on a free port of 127.0.0.1 that speaks OpenAI's, Azure's and Anthropic's formats. */
export async function startProviderServer(): Promise<ProviderServer> {
  const requests: ProviderRequest[] = [];
  const queue: NextAnswer[] = [];
  const rejected = new Set<string>();

  const server = createServer((incoming, response) => {
    void answer(incoming, response).catch(() => response.destroy());
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(incoming);
    requests.push(request);
    response.on('close', () => (request.aborted = !response.writableFinished));
    const next = queue.shift() ?? {};
    if (next.delayMs !== undefined) await wait(next.delayMs, undefined, { ref: false });
    if (next.echoRequestHeaders === true) echo(request, response);
    for (const [name, value] of Object.entries(next.headers ?? {})) response.setHeader(name, value);
    const dialect = dialectOf(request.path);

    if (next.status !== undefined || next.body !== undefined) {
      const status = next.status ?? 200;
      const body = next.body ?? (status >= 400 ? errorBody(dialect, status, `status ${status}`) : '');
      return send(response, status, body);
    }
    if (request.key === undefined || rejected.has(request.key)) {
      return send(response, 401, errorBody(dialect, 401, `Incorrect API key provided: ${request.key}.`));
    }
    const usual = usualAnswer(request, dialect);
    if (next.chunks === undefined && !Array.isArray(usual)) return send(response, usual.status, usual.body);
    const chunks = next.chunks ?? (usual as string[]);
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
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    next: (each) => void queue.push(each),
    rejectKey: (key) => void rejected.add(key),
    reset: () => {
      requests.length = 0;
      queue.length = 0;
      rejected.clear();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(incoming: IncomingMessage): Promise<ProviderRequest> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const rawBody = Buffer.concat(parts).toString('utf8');
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
    key: bearer ?? headers['api-key'] ?? headers['x-api-key'],
    aborted: false,
  };
}

function dialectOf(path: string): DialectOfPath {
  if (path.includes('/openai/deployments/')) return 'azure';
  return path.endsWith('/messages') ? 'anthropic' : 'openai';
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

function send(response: ServerResponse, status: number, body: unknown): void {
  if (!response.hasHeader('content-type')) {
    response.setHeader('content-type', typeof body === 'string' ? 'text/plain' : 'application/json');
  }
  response.writeHead(status);
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function errorBody(dialect: DialectOfPath, status: number, message: string): unknown {
  if (dialect === 'anthropic') {
    const type = status === 401 ? 'authentication_error' : 'invalid_request_error';
    return { type: 'error', error: { type, message }, request_id: 'req_test' };
  }
  if (dialect === 'azure') return { error: { code: String(status), message } };
  const code = status === 401 ? 'invalid_api_key' : null;
  return { error: { message, type: 'invalid_request_error', param: null, code } };
}

/** A list is a stream's parts. */
function usualAnswer(
  request: ProviderRequest,
  dialect: DialectOfPath,
): string[] | { status: number; body: unknown } {
  const { path, body, method } = request;
  if (method === 'GET' && path.endsWith('/models')) {
    return {
      status: 200,
      body: { object: 'list', data: [{ id: 'test-model', object: 'model', owned_by: 'test' }] },
    };
  }
  if (method === 'POST' && path.endsWith('/embeddings')) {
    const inputs: unknown[] = [body?.input ?? ''].flat();
    const data = inputs.map((_, index) => ({ object: 'embedding', index, embedding: [0.1, 0.2, 0.3] }));
    const usage = { prompt_tokens: inputs.length, total_tokens: inputs.length };
    return { status: 200, body: { object: 'list', data, model: body?.model ?? 'deployment', usage } };
  }
  const content = `echo: ${textOf(body?.messages?.at?.(-1)?.content)}`;
  if (method === 'POST' && path.endsWith('/messages')) {
    return body?.stream === true
      ? anthropicStream(body.model, content)
      : { status: 200, body: anthropicMessage(body?.model, content) };
  }
  if (method === 'POST' && path.endsWith('/chat/completions')) {
    const model = body?.model ?? 'deployment';
    return body?.stream === true
      ? completionStream(model, content, dialect === 'azure')
      : { status: 200, body: completion(model, content, dialect === 'azure') };
  }
  return { status: 404, body: errorBody(dialect, 404, `Unknown request URL: ${method} ${path}.`) };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { text?: string }) => part.text ?? '').join('');
}

const filterResults = { hate: { filtered: false, severity: 'safe' } };
const completionUsage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };

function completion(model: string, content: string, isAzure: boolean): unknown {
  const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' };
  return {
    id: 'chatcmpl-test',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [isAzure ? { ...choice, content_filter_results: filterResults } : choice],
    usage: completionUsage,
    ...(isAzure
      ? { prompt_filter_results: [{ prompt_index: 0, content_filter_results: filterResults }] }
      : {}),
    unknown_field: { kept: true },
  };
}

function completionStream(model: string, content: string, isAzure: boolean): string[] {
  const event = (fields: object) =>
    `data: ${JSON.stringify({ id: 'chatcmpl-test', object: 'chat.completion.chunk', model, ...fields })}\n\n`;
  const choice = (delta: object, finish_reason: string | null = null) =>
    event({ choices: [{ index: 0, delta, finish_reason }], unknown_field: { kept: true } });
  const filter = {
    choices: [],
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: filterResults }],
  };
  return [
    ...(isAzure ? [event(filter)] : []),
    choice({ role: 'assistant', content: '' }),
    ...content.split(/(?<= )/).map((word) => choice({ content: word })),
    choice({}, 'stop'),
    event({ choices: [], usage: completionUsage }),
    'data: [DONE]\n\n',
  ];
}

function anthropicMessage(model: string, content: string): object {
  return {
    id: 'msg_test',
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text: content }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 3, output_tokens: 2 },
    unknown_field: { kept: true },
  };
}

function anthropicStream(model: string, content: string): string[] {
  const event = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const message = { ...anthropicMessage(model, ''), content: [], stop_reason: null };
  return [
    event('message_start', { message }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('ping', {}),
    ...content
      .split(/(?<= )/)
      .map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 2 },
    }),
    event('message_stop', {}),
  ];
}
