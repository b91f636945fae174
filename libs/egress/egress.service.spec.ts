import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { inspect } from 'node:util';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import ipaddr from 'ipaddr.js';
import { Secret } from '#crypto';
import {
  body,
  egressToProvider,
  KEY,
  problemOf,
  responseOf,
  routeTo,
  stream,
  TENANT,
  textOf,
  usual,
} from '../../test/support/egress';
import { AddressPolicy } from './address/address-policy';
import { specialRangeOf } from './address/special-ranges';
import { ClientDisconnected } from './cancellation';
import { EgressService } from './egress.service';
import type { Route } from './route';

const { server, egress, service, send } = egressToProvider();

test.each(['openai', 'azure', 'anthropic'] as const)(
  '%s gets the key in its header, and once',
  async (dialect) => {
    const response = await send(routeTo(server.url, {}, dialect));
    expect(await textOf(response.body)).toContain('echo: hello');
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]).toMatchObject({ method: 'POST', key: KEY, rawBody: body });
    expect(server.requests[0]?.headers).toMatchObject({
      'user-agent': 'tenkey',
      'content-type': 'application/json',
    });
    expect(server.requests[0]?.path + inspect(server.requests[0]?.query)).not.toContain('canary');
  },
);

test('a stream is passed on whole', async () => {
  const response = await send(routeTo(server.url), stream);
  expect(response.headers['content-type']).toContain('text/event-stream');
  expect(await textOf(response.body)).toMatch(/"usage".*\n\ndata: \[DONE\]\n\n$/);
});

test.each(['x-request-id', 'request-id', 'apim-request-id'])(
  "the provider's id of the call, in %s, has the names that clients read, in successes and in errors",
  async (name) => {
    const names = { 'x-request-id': 'req_1', 'request-id': 'req_1' };
    server.next({ headers: { [name]: 'req_1' } });
    const response = await send();
    response.body.destroy();
    expect(response.headers).toMatchObject(names);
    server.next({ status: 400, headers: { [name]: 'req_1' } });
    await expect(send()).rejects.toMatchObject({
      details: { headers: { 'x-request-id': 'req_1', 'request-id': 'req_1' } },
    });
  },
);

test('only the upstream headers on the allow-list are passed on, and none that repeats the key', async () => {
  server.next({
    echoRequestHeaders: true,
    headers: {
      'request-id': 'req_1',
      'x-ratelimit-limit': '5',
      'x-ratelimit-reset': `of-${KEY.slice(0, 14)}`,
      server: 'x',
    },
  });
  const response = await send();
  response.body.destroy();
  expect(response.headers).toMatchObject({ 'request-id': 'req_1', 'x-ratelimit-limit': '5' });
  expect(Object.keys(response.headers).join()).not.toMatch(/server|x-echo|authorization(?!.)/);
  expect(inspect(response.headers)).not.toContain('canary');
  expect(inspect(response.headers)).not.toContain(Buffer.from(KEY).toString('base64'));
});

test('a redirect is not followed', async () => {
  server.next({ status: 307, headers: { location: `${server.url}/elsewhere` } });
  const problem = await problemOf(send());
  expect(problem).toMatchObject({ code: 'upstream_unavailable', status: 502 });
  expect(problem.message).toContain('redirect (307)');
  expect(server.requests).toHaveLength(1);
});

test('a refused key becomes 424 with tenant, provider, mask and the PUT', async () => {
  server.rejectKey(KEY);
  const problem = await problemOf(send());
  expect(problem).toMatchObject({ code: 'credential_rejected', status: 424 });
  expect(problem.message).toContain(TENANT);
  expect(problem.message).toContain('openai');
  expect(problem.message).toContain('...long');
  expect(problem.details.hint).toBe(`PUT /api/v1/sysadmin/tenants/${TENANT}/credentials/openai`);
});

test('a refused global key names the variable', async () => {
  server.rejectKey(KEY);
  const route = routeTo(server.url, { isOperatorAddress: true });
  const problem = await problemOf(send({ ...route, credential: { ...route.credential, source: 'global' } }));
  expect(problem.details.hint).toContain('TESTING_API_KEY');
});

test.each<[number, string, number]>([
  [400, 'upstream_rejected_request', 400],
  [404, 'upstream_rejected_request', 404],
  [413, 'upstream_rejected_request', 413],
  [422, 'upstream_rejected_request', 422],
  [418, 'upstream_rejected_request', 400],
  [403, 'credential_rejected', 424],
  [429, 'upstream_rate_limited', 429],
  [500, 'upstream_unavailable', 502],
  [503, 'upstream_unavailable', 502],
])('upstream %i -> %s %i', async (status, code, ours) => {
  const text = `bad ${KEY} ${Buffer.from(KEY).toString('base64')} ${encodeURIComponent(KEY)} the-process-super-key`;
  for (const shape of [{ error: { message: text } }, { message: text }, { detail: text }, text]) {
    server.next({ status, body: shape, headers: { 'retry-after': '7' } });
    const problem = await problemOf(send());
    expect(problem).toMatchObject({ code, status: ours });
    if (code === 'upstream_rejected_request')
      expect(problem.message).toBe('bad [removed] [removed] [removed] [removed]');
    if (status === 429) expect(problem.details.headers?.['retry-after']).toBe('7');
  }
});

test("a 403 from the provider's firewall does not reject the key", async () => {
  server.next({
    status: 403,
    body: { error: { message: 'Access denied due to Virtual Network/Firewall rules.' } },
  });
  expect((await problemOf(send())).code).toBe('upstream_network_rules');
});

test.each([
  ['gzip', gzipSync],
  ['X-GZIP', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
] as const)('a body in %s, although no encoding was accepted, is decoded', async (encoding, compress) => {
  const headers = { 'content-encoding': encoding };
  server.next({ status: 400, body: compress('{"error":{"message":"too long"}}'), headers });
  expect((await problemOf(send())).message).toBe('too long');
  const long = JSON.stringify({ choices: ['x'.repeat(3_000_000)] });
  server.next({ body: compress(long), headers: { ...headers, 'content-type': 'application/json' } });
  const response = await send();
  expect(response.headers).toEqual({ 'content-type': 'application/json' });
  expect(await textOf(response.body)).toBe(long);
});

test.each([
  ['is not in the encoding that it names', gzipSync('{}').subarray(4)],
  ['is cut', gzipSync('{"choices":[]}').subarray(0, -9)],
])('a compressed body that %s is an error', async (_, body) => {
  server.next({ body, headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' } });
  const problem = await problemOf(send());
  expect([problem.code, problem.message]).toEqual([
    'upstream_unavailable',
    expect.stringContaining('sent a body that cannot be decoded'),
  ]);
});

test('an error body in an encoding that Tenkey cannot decode is not quoted', async () => {
  server.next({ status: 400, body: Buffer.from('??'), headers: { 'content-encoding': 'compress' } });
  expect((await problemOf(send())).message).toBe('Testing refused the request with status 400.');
});

test.each(['Identity', '', ' '])('the content-encoding %j is not passed on', async (encoding) => {
  server.next({ body: {}, headers: { 'content-encoding': encoding } });
  const response = await send();
  response.body.destroy();
  expect(response.headers).not.toHaveProperty('content-encoding');
  server.next({
    status: 400,
    body: { error: { message: 'too long' } },
    headers: { 'content-encoding': encoding },
  });
  expect((await problemOf(send())).message).toBe('too long');
});

test('a very long error body is read up to a limit', async () => {
  server.next({ status: 400, body: 'x'.repeat(5_000_000) });
  expect((await problemOf(send())).message.length).toBeLessThanOrEqual(2000);
});

test.each(['127.0.0.1', '[::1]', 'localhost', '2130706433', '[::ffff:127.0.0.1]', '169.254.169.254'])(
  'an endpoint at %s is refused before anything is sent',
  async (host) => {
    const problem = await problemOf(send(routeTo(`http://${host}:${server.port}`), body, service('')));
    expect(problem).toMatchObject({ code: 'endpoint_not_allowed', status: 424 });
    expect(problem.details.hint).toMatch(/EGRESS_ALLOW|never allowed/);
    expect(server.requests).toHaveLength(0);
  },
);

test('a tenant whose list does not have an address gets no connection that another tenant opened to it', async () => {
  const privateAddress = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ address }) => specialRangeOf(ipaddr.parse(address.split('%')[0]!))?.use === 'private');
  // Nothing else can be connected to that is private, and not every machine has such an interface.
  if (privateAddress === undefined) return;
  let requests = 0;
  const listener = createServer((_, response) => {
    requests += 1;
    response.setHeader('content-type', 'application/json').end('{"choices":[]}');
  });
  await new Promise<void>((resolve) => listener.listen(0, privateAddress.address, resolve));
  const { port } = listener.address() as AddressInfo;
  const options = {
    allow: [],
    ownPort: () => undefined,
    processSecrets: [],
    retries: 0,
    retryRateLimitedMs: 0,
    circuitFailures: 0,
  };
  const denying = new EgressService(
    { ...options, timeoutsOf: () => ({ connectMs: 5000, firstByteMs: 5000, idleMs: 5000 }) },
    new AddressPolicy({ ...options, privateAddresses: 'deny', ownAddresses: () => [] }),
  );
  const dns = jest.requireActual<typeof import('node:dns')>('node:dns');
  const lookup = jest
    .spyOn(dns, 'lookup')
    .mockImplementation(((_name: string, _options: object, done: (error: null, found: object[]) => void) =>
      done(null, [
        { address: privateAddress.address, family: privateAddress.family === 'IPv6' ? 6 : 4 },
      ])) as never);
  try {
    const base = `http://vllm.example:${port}`;
    const allowed = routeTo(base, { egressAllow: [`vllm.example:${port}`] });
    const response = await send(allowed, body, denying);
    await textOf(response.body);
    expect(requests).toBe(1);
    for (const route of [routeTo(base), routeTo(base, { egressAllow: ['other.example:*'] })]) {
      expect((await problemOf(send(route, body, denying))).code).toBe('endpoint_not_allowed');
    }
    expect(requests).toBe(1);
  } finally {
    lookup.mockRestore();
    await denying.onApplicationShutdown();
    listener.close();
  }
});

test('connections that are used are kept, however many lists of exceptions there are', async () => {
  const many = service(`127.0.0.1:${server.port}`);
  const connectionsFor = async (changes: Partial<Route>) => {
    const before = server.connections.opened;
    await textOf((await send(routeTo(server.url, changes), body, many)).body);
    return server.connections.opened - before;
  };
  const listed = (port: number) => connectionsFor({ egressAllow: [`10.0.0.1:${port}`] });
  expect([await connectionsFor({}), await listed(1)]).toEqual([1, 1]);
  for (let port = 2; port <= 1000; port += 1) {
    await listed(port);
    if (port % 100 === 0) expect(await connectionsFor({})).toBe(0);
  }
  expect([await listed(1000), await listed(1)]).toEqual([0, 1]);
});

test('a name that resolves to loopback is refused at the connection, and allowed by rule', async () => {
  // Name resolution is replaced, because no real name can be relied on to resolve to loopback.
  const dns = jest.requireActual<typeof import('node:dns')>('node:dns');
  const lookup = jest
    .spyOn(dns, 'lookup')
    .mockImplementation(((_name: string, _options: object, done: (error: null, found: object[]) => void) =>
      done(null, [{ address: '127.0.0.1', family: 4 }])) as never);
  try {
    const base = `http://rebound.example:${server.port}`;
    const problem = await problemOf(send(routeTo(base), body, service('')));
    expect(problem.code).toBe('endpoint_not_allowed');
    expect(server.requests).toHaveLength(0);
    const response = await send(routeTo(base), body, service(`rebound.example:${server.port}`));
    response.body.destroy();
    expect(server.requests).toHaveLength(1);
  } finally {
    lookup.mockRestore();
  }
});

test("the operator's own address is exempt", async () => {
  const route = routeTo(server.url, { isOperatorAddress: true });
  const response = await send(
    { ...route, credential: { ...route.credential, settings: {} } },
    body,
    service(''),
  );
  expect(await textOf(response.body)).toContain('echo: hello');
});

test.each<[string, (route: Route) => Route]>([
  ['another tenant', (route) => ({ ...route, tenantId: 'another' })],
  ['another provider', (route) => ({ ...route, provider: { ...route.provider, id: 'another' } })],
  ['another version', (route) => ({ ...route, version: '4' })],
  ['another host', (route) => ({ ...route, url: new URL('https://evil.example/v1') })],
  ['another host than that of its address', (route) => ({ ...route, host: 'evil.example' })],
  [
    "a host that is not its credential's",
    (route) => ({ ...route, url: new URL('https://evil.example/v1'), host: 'evil.example' }),
  ],
  ['another scheme', (route) => ({ ...route, url: new URL('ftp://evil.example/v1') })],
  ['a fragment', (route) => ({ ...route, url: new URL(`${route.url.href}#x`) })],
  ["a tenant's endpoint marked as the operator's", (route) => ({ ...route, isOperatorAddress: true })],
])('a route with %s is refused and its key is never opened', async (_name, change) => {
  const route = routeTo(server.url);
  const open = jest.fn(() => new Secret(KEY));
  const problem = await problemOf(send(change({ ...route, credential: { ...route.credential, open } })));
  expect(problem.code).toBe('internal_error');
  expect(open).not.toHaveBeenCalled();
  expect(server.requests).toHaveLength(0);
});

test('reports each upstream request, the head of each response and every byte of the body', async () => {
  const seen = { attempts: 0, heads: [] as unknown[], bytes: 0 };
  const wire = {
    onAttempt: () => void (seen.attempts += 1),
    onHead: (...head: unknown[]) => void seen.heads.push(head),
    onChunk: (chunk: Uint8Array) => void (seen.bytes += chunk.length),
  };
  const options = { signal: new AbortController().signal, wire };
  const request = { contentType: 'application/json', content: [Buffer.from(stream)] };
  server.next({ status: 503 });
  const retrying = service(`127.0.0.1:${server.port}`, usual, 1);
  const text = await textOf((await responseOf(retrying, routeTo(server.url), request, options)).body);
  expect(seen).toEqual({
    attempts: 2,
    heads: [
      [503, undefined],
      [200, 'text/event-stream; charset=utf-8'],
    ],
    bytes: Buffer.byteLength(text),
  });
  server.next({ status: 400, body: { error: { message: 'no' } } });
  await problemOf(responseOf(egress(), routeTo(server.url), request, options));
  expect(seen.heads.at(-1)).toEqual([400, 'application/json']);
  server.next({ headers: { 'content-encoding': 'compress' } });
  (await responseOf(egress(), routeTo(server.url), request, options)).body.destroy();
  expect(seen.heads.at(-1)).toEqual([200, undefined]);
});

test('reports the head of a response that was followed by a retry without a response', async () => {
  const heads: unknown[] = [];
  const wire = {
    onAttempt: () => undefined,
    onHead: (status: number) => heads.push(status),
    onChunk: () => undefined,
  };
  const quick = service('127.0.0.1:*', { connectMs: 1000, firstByteMs: 150, idleMs: 150 }, 1);
  server.next({ status: 503 });
  server.next({ delayMs: 1500 });
  const options = { signal: new AbortController().signal, wire };
  const call = responseOf(
    quick,
    routeTo(server.url),
    { contentType: 'application/json', content: [Buffer.from(body)] },
    options,
  );
  expect((await problemOf(call)).code).toBe('upstream_timeout');
  expect(heads).toEqual([503]);
});

test('a slow head and a slow body are timeouts', async () => {
  const quick = service(`127.0.0.1:*`, { connectMs: 1000, firstByteMs: 150, idleMs: 150 });
  server.next({ delayMs: 1500 });
  expect(await problemOf(send(routeTo(server.url), body, quick))).toMatchObject({
    code: 'upstream_timeout',
    status: 504,
  });
  server.next({ chunkDelayMs: 1500 });
  const response = await send(routeTo(server.url), stream, quick);
  expect((await problemOf(textOf(response.body))).code).toBe('upstream_timeout');
});

test('a refused connection, an unknown name, broken TLS and a broken stream are 502', async () => {
  const any = service('127.0.0.1:*');
  expect((await problemOf(send(routeTo('http://127.0.0.1:1'), body, any))).code).toBe('upstream_unavailable');
  expect((await problemOf(send(routeTo('http://no-such-name.invalid'), body, any))).code).toBe(
    'upstream_unavailable',
  );
  const tls = routeTo(`https://127.0.0.1:${server.port}`);
  expect((await problemOf(send(tls, body, any))).code).toBe('upstream_unavailable');
  server.next({ breakAfterChunks: 2 });
  const response = await send(routeTo(server.url), stream);
  expect((await problemOf(textOf(response.body))).code).toBe('upstream_unavailable');
});

test.each(['before the head', 'during the stream', 'by destroying the body'])(
  'a client that disconnects %s closes the upstream connection',
  async (moment) => {
    const disconnecting = new AbortController();
    server.next(moment === 'before the head' ? { delayMs: 300 } : { chunkDelayMs: 100 });
    const call = send(routeTo(server.url), stream, egress(), disconnecting.signal);
    if (moment === 'before the head') {
      setTimeout(() => disconnecting.abort(), 50);
      await expect(call).rejects.toBeInstanceOf(ClientDisconnected);
    } else {
      const response = await call;
      if (moment === 'during the stream') {
        setTimeout(() => disconnecting.abort(), 50);
        await expect(textOf(response.body)).rejects.toBeInstanceOf(ClientDisconnected);
      } else {
        response.body.destroy();
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(server.requests[0]?.aborted).toBe(true);
  },
);

test('an IPv6 endpoint is connected to if a rule allows it, and refused otherwise', async () => {
  const endpoint = (host: string) => `http://${host}:9`;
  // No server listens on this port; what counts is that the policy allowed the attempt.
  const quick = { connectMs: 1500, firstByteMs: 1500, idleMs: 1500 };
  const allowed = await problemOf(send(routeTo(endpoint('[::1]')), body, service('[::1]:9', quick)));
  expect(['upstream_unavailable', 'upstream_timeout']).toContain(allowed.code);
  expect(String(allowed.details.cause)).toMatch(/ECONNREFUSED|ENETUNREACH|EADDRNOTAVAIL|TIMEOUT/);
  const refused = await problemOf(send(routeTo(endpoint('[::1]')), body, service('', quick)));
  expect(refused.code).toBe('endpoint_not_allowed');
});

test("of the client's headers only those pass that the provider's file names, and never in the key's place", async () => {
  const route = routeTo(server.url, {}, 'anthropic');
  const provider = {
    ...route.provider,
    passedRequestHeaders: ['anthropic-version', 'anthropic-beta', 'x-api-key'],
  };
  const response = await responseOf(
    egress(),
    { ...route, provider, credential: { ...route.credential, provider } },
    { contentType: 'application/json', content: [Buffer.from(body)] },
    {
      signal: new AbortController().signal,
      clientHeaders: {
        'anthropic-version': '2024-01-01',
        'anthropic-beta': 'a,b',
        'x-api-key': 'key-of-the-client',
        authorization: 'Bearer key-of-the-client',
        cookie: 'a=b',
      },
    },
  );
  response.body.destroy();
  const { headers } = server.requests[0]!;
  expect(headers).toMatchObject({
    'anthropic-version': '2024-01-01',
    'anthropic-beta': 'a,b',
    'x-api-key': KEY,
  });
  expect(JSON.stringify(headers)).not.toMatch(/key-of-the-client|a=b/);
});

test.each([
  [[{ error: { code: 400, message: 'bad', status: 'INVALID_ARGUMENT' } }], 'bad'],
  [{ detail: [{ loc: ['body', 'model'], msg: 'Field required', input: 'x' }] }, 'model: Field required'],
  [
    { object: 'error', message: { detail: [{ loc: ['body', 'n'], msg: 'Extra inputs' }] } },
    'n: Extra inputs',
  ],
  [{ nothing: 'known' }, 'Testing refused the request with status 400.'],
])('the message in the error %j is found', async (response, sentence) => {
  server.next({ status: 400, body: response });
  expect((await problemOf(send())).message).toBe(sentence);
});

test('the definition of the provider decides which response means a refused key', async () => {
  const refusing = (status: number, message: string) => status === 400 && message.includes('API key');
  const route = routeTo(server.url);
  const provider = { ...route.provider, isCredentialRefusal: refusing };
  const to = { ...route, provider, credential: { ...route.credential, provider } };
  server.next({ status: 400, body: { error: { message: 'API key not valid.' } } });
  expect((await problemOf(send(to))).code).toBe('credential_rejected');
  server.next({ status: 403, body: { error: { message: 'Flagged.' } } });
  expect(await problemOf(send(to))).toMatchObject({ code: 'upstream_rejected_request', status: 400 });
});
