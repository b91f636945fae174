import { inspect } from 'node:util';
import { type AddressInfo, createServer } from 'node:net';
import { type EgressProxies, loadConfig } from '#config';
import {
  body,
  egressToProvider,
  KEY,
  problemOf,
  responseOf,
  routeTo,
  stream,
  textOf,
  usual,
} from '../../../test/support/egress';
import { encryptionKey, platformKey, superKey } from '../../../test/support/app';
import { type ConnectProxy, type ProxyAnswer, startConnectProxy } from '../../../test/support/connect-proxy';
import { until } from '../../../test/support/until';

const { server, service, send } = egressToProvider();
const password = 'pass:word/of-the-proxy';
const authorization = `Basic ${Buffer.from(`tenkey:${password}`).toString('base64')}`;
let proxy: ConnectProxy;
beforeAll(async () => {
  proxy = await startConnectProxy(authorization);
});
beforeEach(() => proxy.reset());
afterAll(() => proxy.close());

function proxiesOf(env: Record<string, string>): EgressProxies {
  return loadConfig({
    DATABASE_URL: 'postgresql://localhost/tenkey',
    INTRIC_SUPER_API_KEY: superKey,
    PLATFORM_API_KEY: platformKey,
    ENCRYPTION_KEY: encryptionKey,
    ...env,
  }).egressProxies;
}
const proxyUrl = () => `http://tenkey:${encodeURIComponent(password)}@127.0.0.1:${proxy.port}`;
const quick = { ...usual, connectMs: 500 };
const through = (env: Record<string, string> = {}, retries = 0, timeouts = quick) =>
  service('', timeouts, retries, 0, proxiesOf({ EGRESS_PROXY: proxyUrl(), ...env }));
const provider = () => `http://model.example:${server.port}`;

test("a call goes through a tunnel to the name, with the proxy's user and password", async () => {
  const response = await send(routeTo(provider()), body, through());
  expect(await textOf(response.body)).toContain('echo: hello');
  expect(proxy.targets).toEqual([`model.example:${server.port}`]);
  expect(proxy.authorizations).toEqual([authorization]);
  expect(proxy.forwarded).toEqual([]);
  expect(server.requests[0]).toMatchObject({ key: KEY, rawBody: body });
  expect(inspect(server.requests[0]!.headers)).not.toContain('proxy');
});

test('calls share a tunnel, and a stream passes through it whole', async () => {
  const egress = through();
  for (let index = 0; index < 3; index++) {
    const response = await send(routeTo(provider()), stream, egress);
    expect(await textOf(response.body)).toMatch(/"usage".*\n\ndata: \[DONE\]\n\n$/);
    // The connection is free a moment after the body has ended.
    await new Promise((done) => setTimeout(done, 50));
  }
  expect(proxy.targets).toHaveLength(1);
});

test('addresses of the operator and of tenants share no tunnel', async () => {
  const egress = through();
  for (const isOperatorAddress of [true, false]) {
    const route = routeTo(provider());
    const settings = isOperatorAddress ? {} : { endpoint: provider() };
    const response = await send(
      { ...route, isOperatorAddress, credential: { ...route.credential, settings } },
      body,
      egress,
    );
    await textOf(response.body);
  }
  expect(proxy.targets).toHaveLength(2);
});

test.each([
  ['a loopback address', 'http://127.0.0.1:9'],
  ['a loopback address', 'http://localhost:9'],
  ['a metadata address', 'http://169.254.169.254'],
  ['a metadata address', 'http://metadata.google.internal'],
  ['a link-local address', 'https://[fe80::1]'],
])('%s is refused before the proxy is asked: %s', async (reason, base) => {
  const problem = await problemOf(send(routeTo(base), body, through()));
  expect([problem.code, problem.message]).toEqual(['endpoint_not_allowed', expect.stringContaining(reason)]);
  expect(proxy.targets).toEqual([]);
});

test.each(['127.0.0.1', 'localhost'])(
  'the address %s of this machine is called directly, also when the operator set it',
  async (host) => {
    const route = routeTo(`http://${host}:${server.port}`, { isOperatorAddress: true });
    const credential = { ...route.credential, settings: {} };
    await textOf((await send({ ...route, credential }, body, through())).body);
    expect(server.requests).toHaveLength(1);
    expect(proxy.targets).toEqual([]);
  },
);

const reached = () => `The proxy 127.0.0.1:${proxy.port}, which EGRESS_PROXY names,`;
test.each<[string, ProxyAnswer, string, () => string, string]>([
  [
    'refuses',
    403,
    'upstream_unavailable',
    () => `${reached()} did not connect to model.example:${server.port}: it responded with status 403.`,
    'allow CONNECT to model.example',
  ],
  [
    'does not reach the provider',
    502,
    'upstream_unavailable',
    () => `${reached()} did not connect to model.example:${server.port}: it responded with status 502.`,
    'log of the proxy, or list the host in NO_PROXY',
  ],
  [
    'does not accept the password',
    407,
    'upstream_unavailable',
    () => `${reached()} does not accept the user name and password.`,
    'set EGRESS_PROXY to http://user:password@127.0.0.1:',
  ],
  [
    'does not respond',
    'silence',
    'upstream_timeout',
    () => `${reached()} did not connect to model.example:${server.port} in time.`,
    'log of the proxy',
  ],
  [
    'is no HTTP server',
    'nonsense',
    'upstream_unavailable',
    () => `${reached()} sent a response that is not valid HTTP.`,
    'set EGRESS_PROXY to a proxy',
  ],
  [
    'breaks off',
    'reset',
    'upstream_unavailable',
    () => `${reached()} closed the connection before its response was complete.`,
    'set EGRESS_PROXY to a proxy',
  ],
])('a proxy that %s is named, and neither the provider nor the key', async (_, answer, code, text, hint) => {
  const route = routeTo(provider());
  proxy.next(answer);
  const problem = await problemOf(send(route, body, through()));
  expect([problem.code, problem.message]).toEqual([code, text()]);
  expect(problem.details.hint).toContain(hint);
  expect(inspect(problem, { depth: 10 })).not.toContain(password);
  expect(server.requests).toHaveLength(0);

  proxy.next(answer);
  const result = await through().probe(route, { method: 'GET' } as never);
  expect([result.outcome, result.isRefused, result.detail]).toEqual(['unreachable', false, text()]);
});

test('a proxy that asks for a password is named, with the setting that has none', async () => {
  const egress = through({ EGRESS_PROXY: `http://127.0.0.1:${proxy.port}` });
  const problem = await problemOf(send(routeTo(provider()), body, egress));
  expect(problem.message).toBe(`${reached()} asks for a user name and password.`);
});

test('a tunnel that breaks off before the TLS handshake names the proxy and the provider', async () => {
  proxy.next('reset the tunnel');
  const problem = await problemOf(send(routeTo('https://model.example'), body, through()));
  expect(proxy.targets).toEqual(['model.example:443']);
  expect(problem.message).toBe(
    `Testing at model.example, through the proxy 127.0.0.1:${proxy.port}, closed the connection before its response was complete.`,
  );
});

test('a server that speaks first in the tunnel is asked once', async () => {
  const own = await startConnectProxy();
  own.next('banner', 'banner', 'banner');
  const egress = through({ EGRESS_PROXY: `http://127.0.0.1:${own.port}` }, 2);
  const problem = await problemOf(send(routeTo(provider()), body, egress));
  expect([problem.code, problem.message]).toEqual([
    'upstream_unavailable',
    `Testing at model.example:${server.port} sent a response that is not valid HTTP.`,
  ]);
  await until(() => own.open() === 0, 'the connection to be closed', 1000);
  expect(own.targets).toHaveLength(1);
  await own.close();
});

test('a proxy that cannot be reached is named with its own variable', async () => {
  const closed = createServer();
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
  const { port } = closed.address() as AddressInfo;
  await new Promise((done) => closed.close(done));
  const HTTP_PROXY = `http://127.0.0.1:${port}`;
  const egress = through({ EGRESS_PROXY: 'environment', HTTP_PROXY });
  const problem = await problemOf(send(routeTo(provider()), body, egress));
  expect([problem.code, problem.message]).toEqual([
    'upstream_unavailable',
    `The proxy 127.0.0.1:${port}, which HTTP_PROXY names, cannot be reached: it refused the connection.`,
  ]);
});

test.each<[ProxyAnswer[], number]>([
  [[502, 503], 3],
  [[403], 1],
  [[407], 1],
])(
  'a proxy that answers %j gets %i requests for a call that may be tried again twice',
  async (answers, count) => {
    proxy.next(...answers);
    const sent = send(routeTo(provider()), body, through({}, 2));
    if (count === 1) await problemOf(sent);
    else await textOf((await sent).body);
    expect(proxy.targets).toHaveLength(count);
  },
);

test.each<ProxyAnswer>(['silence', 'silent tunnel'])(
  'a client that leaves in front of a %s leaves no connection to the proxy',
  async (answer) => {
    const own = await startConnectProxy();
    const egress = through({ EGRESS_PROXY: `http://127.0.0.1:${own.port}` }, 0, usual);
    const leaving = new AbortController();
    own.next(answer);
    const base = answer === 'silence' ? provider() : 'https://model.example';
    const sent = responseOf(
      egress,
      routeTo(base),
      { contentType: 'application/json', content: [Buffer.from(body)] },
      { signal: leaving.signal },
    );
    await until(() => own.targets.length === 1, 'the tunnel to be asked for');
    await new Promise((done) => setTimeout(done, 100));
    leaving.abort();
    await expect(sent).rejects.toMatchObject({ name: 'ClientDisconnected' });
    await until(() => own.open() === 0, 'the connection to be closed', 1000);
    expect(own.targets).toHaveLength(1);
    await own.close();
  },
);
