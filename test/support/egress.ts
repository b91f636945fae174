import { inspect } from 'node:util';
import { type EgressProxies, parseAllowList } from '#config';
import { Secret } from '#crypto';
import { Problem } from '#http';
import type { Provider, Timeouts } from '#providers';
import {
  ReadableBody,
  type RequestBody,
  type SendOptions,
  SignalCancellation,
  type UpstreamResponse,
} from '#egress';
import { EgressService } from '../../libs/egress/egress.service';
import type { Route } from '../../libs/egress/route';
import { type ProviderServer, startProviderServer } from './provider-server';

export const KEY = 'canary/Key+7f3a==quite-long';
export const TENANT = '6f0c2f3e-0d7b-4a43-9a57-0e6f2f0f7c11';
const keyHeaders = {
  openai: (key: Secret) => ({ authorization: `Bearer ${key.expose()}` }),
  azure: (key: Secret) => ({ 'api-key': key.expose() }),
  anthropic: (key: Secret) => ({ 'x-api-key': key.expose(), 'anthropic-version': '2023-06-01' }),
};
const paths = {
  openai: '/v1/chat/completions',
  azure: '/openai/deployments/d/chat/completions?api-version=2024-10-21',
  anthropic: '/v1/messages',
};
export const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] });
export const stream = JSON.stringify({
  ...JSON.parse(body),
  stream: true,
  stream_options: { include_usage: true },
});

export const usual: Timeouts = { connectMs: 10_000, firstByteMs: 60_000, idleMs: 60_000 };

const fail = (reason: string): never => {
  throw new Error(reason);
};

/** A response whose body can be read as a stream. */
export interface ReadableResponse extends Pick<UpstreamResponse, 'status' | 'headers' | 'problemOf'> {
  readonly body: ReadableBody;
}

/** Sends a call. @throws what it fails with */
export function responseOf(
  egress: EgressService,
  route: Route,
  body: RequestBody,
  { signal, ...options }: Omit<SendOptions, 'cancellation'> & { readonly signal: AbortSignal },
): Promise<ReadableResponse> {
  return new Promise((resolve, reject) => {
    const cancellation = new SignalCancellation(signal);
    egress.send(
      route,
      body,
      { ...options, cancellation },
      {
        head: ({ source, ...response }) => {
          const readable = new ReadableBody(source, () => cancellation.cancel());
          resolve({ ...response, body: readable });
          return readable;
        },
        fail: reject,
      },
    );
  });
}

/** A provider, and an egress that may call only this provider. Both start before the tests and close after them. */
export function egressToProvider() {
  const server = {} as ProviderServer;
  const services: EgressService[] = [];
  let egress: EgressService;
  const service = (
    allow: string,
    timeouts = usual,
    retries = 0,
    retryRateLimitedMs = 0,
    proxies?: EgressProxies,
    circuitFailures = 0,
  ) => {
    const made = new EgressService({
      allow: parseAllowList(allow, fail),
      ownPort: () => undefined,
      processSecrets: [new Secret('the-process-super-key')],
      timeoutsOf: () => timeouts,
      retries,
      retryRateLimitedMs,
      circuitFailures,
      proxies,
    });
    services.push(made);
    return made;
  };
  beforeAll(async () => {
    Object.assign(server, await startProviderServer());
    egress = service(`127.0.0.1:${server.port}`);
  });
  beforeEach(() => server.reset());
  afterAll(async () => {
    for (const each of services) await each.onApplicationShutdown();
    await server.close();
  });
  const send = (
    route = routeTo(server.url),
    text = body,
    by = egress,
    signal = new AbortController().signal,
  ) => responseOf(by, route, { contentType: 'application/json', content: [Buffer.from(text)] }, { signal });
  return { server, egress: () => egress, service, send };
}

export function routeTo(
  base: string,
  changes: Partial<Route> = {},
  dialect: keyof typeof paths = 'openai',
): Route {
  const provider = {
    id: dialect,
    label: 'Testing',
    globalVariables: { apiKey: 'TESTING_API_KEY', settings: {} },
    headers: keyHeaders[dialect],
    isNetworkRuleRefusal: (message: string) => /Virtual Network|Firewall/.test(message),
  } as unknown as Provider;
  return {
    tenantId: TENANT,
    model: 'm',
    adapter: 'litellm',
    provider,
    upstreamModel: 'm',
    target: 'm',
    targetFrom: null,
    operation: 'chat/completions',
    upstreamOperation: 'chat/completions',
    url: new URL(base + paths[dialect]),
    host: new URL(base).host,
    version: '3',
    isOperatorAddress: false,
    credential: {
      tenantId: TENANT,
      provider,
      source: 'tenant',
      mask: '...long',
      version: '3',
      settings: { endpoint: base },
      open: () => new Secret(KEY),
    },
    ...changes,
  };
}

export async function problemOf(call: Promise<unknown>): Promise<Problem> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Problem);
  const everything = inspect(error, { depth: 10, showHidden: true });
  expect(everything).not.toContain(KEY);
  expect(everything).not.toContain(Buffer.from(KEY).toString('base64'));
  expect(everything).not.toContain(encodeURIComponent(KEY));
  return error as Problem;
}

export async function textOf(readable: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const part of readable) text += part.toString();
  return text;
}
