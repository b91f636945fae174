import dns from 'node:dns';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { platformKey, startTestApp, superKey, type TestApp } from './support/app';
import { createAuthority } from './support/certificates';
import { type ConnectProxy, startConnectProxy } from './support/connect-proxy';
import { createTestDatabase, type TestDatabase } from './support/postgres';
import { type ProviderServer, startProviderServer } from './support/provider-server';
import { type ServiceProcess, startServiceProcess } from './support/service-process';

const password = 'pass/word+of-the-proxy';
const basic = Buffer.from(`tenkey:${password}`).toString('base64');
const apiKey = 'sk-key-that-no-proxy-sees';
const chat = { messages: [{ role: 'user', content: 'hello' }] };

/** In a separate process, because Node reads NODE_EXTRA_CA_CERTS only at the start. */
describe('with EGRESS_PROXY', () => {
  let database: TestDatabase;
  let folder: string;
  let proxy: ConnectProxy;
  let providers: Record<'operator' | 'tenant', ProviderServer>;
  let service: ServiceProcess;
  let tenant: string;
  const sysadmin = { 'x-api-key': superKey };
  const credentials = () => `/api/v1/sysadmin/tenants/${tenant}/credentials`;

  beforeAll(async () => {
    database = await createTestDatabase();
    const authority = await createAuthority('Authority of the providers');
    folder = mkdtempSync(join(tmpdir(), 'tenkey-proxy-'));
    const authorityFile = join(folder, 'authority.pem');
    writeFileSync(authorityFile, authority.cert);
    proxy = await startConnectProxy(`Basic ${basic}`);
    providers = {
      operator: await startProviderServer(await authority.issue('api.operator.example')),
      tenant: await startProviderServer(await authority.issue('model.tenant.example')),
    };
    service = await startServiceProcess({
      DATABASE_URL: database.url,
      UPSTREAM_RETRIES: '0',
      OPENAI_BASE_URL: `https://api.operator.example:${providers.operator.port}/v1`,
      EGRESS_PROXY: `http://tenkey:${encodeURIComponent(password)}@127.0.0.1:${proxy.port}`,
      NODE_EXTRA_CA_CERTS: authorityFile,
    });
    const created = await service.request('/api/v1/sysadmin/tenants', 'POST', sysadmin, { name: 'proxied' });
    tenant = created.body.id as string;
    await service.request(`${credentials()}/openai`, 'PUT', sysadmin, { api_key: apiKey });
    await service.request(`${credentials()}/vllm`, 'PUT', sysadmin, {
      api_key: apiKey,
      endpoint: `https://model.tenant.example:${providers.tenant.port}`,
    });
  }, 180_000);
  beforeEach(() => {
    proxy.reset();
    for (const each of Object.values(providers)) each.reset();
  });
  afterAll(async () => {
    await service.stop();
    await proxy.close();
    for (const each of Object.values(providers)) await each.close();
    rmSync(folder, { recursive: true, force: true });
    await database.drop();
  });

  const call = (model: string, more: object = {}) =>
    service.request(
      '/v1/chat/completions',
      'POST',
      { 'x-api-key': platformKey, 'x-tenant-id': tenant },
      { model, ...chat, ...more },
    );

  it('calls reach the addresses of operators and tenants through tunnels, and the proxy sees no key', async () => {
    for (const [model, whose] of [
      ['gpt-4o', 'operator'],
      ['gemma-vllm', 'tenant'],
    ] as const) {
      for (const stream of [false, true]) {
        const { status, text } = await call(model, { stream });
        expect([status, text]).toEqual([200, expect.stringContaining('hello')]);
        if (stream) expect(text.trim().endsWith('data: [DONE]')).toBe(true);
      }
      expect(providers[whose].requests.map(({ key }) => key)).toEqual([apiKey, apiKey]);
    }
    expect(proxy.targets).toEqual([
      `api.operator.example:${providers.operator.port}`,
      `model.tenant.example:${providers.tenant.port}`,
    ]);
    expect(proxy.sent().length).toBeGreaterThan(1000);
    expect(proxy.sent()).not.toMatch(/sk-key|POST|hello/);
    expect(proxy.forwarded).toEqual([]);
  });

  it('the verification of a key uses the proxy too, and reports what fails there', async () => {
    const put = () =>
      service.request(`${credentials()}/openai?verify=true`, 'PUT', sysadmin, { api_key: apiKey });
    expect((await put()).body).toMatchObject({ verification: { outcome: 'accepted' } });
    expect(providers.operator.requests).toHaveLength(1);
  });

  it.each([
    [403, 'did not connect to model.other.example:443: it responded with status 403.'],
    [407, 'does not accept the user name and password.'],
    [502, 'did not connect to model.other.example:443: it responded with status 502.'],
  ])('a %i of the proxy is not taken for one of the provider', async (status, text) => {
    const endpoint = 'https://model.other.example';
    await service.request(`${credentials()}/vllm`, 'PUT', sysadmin, { api_key: apiKey, endpoint });
    proxy.next(status);
    const failed = await call('gemma-vllm');
    expect(failed.status).toBe(502);
    expect(failed.body.error).toMatchObject({
      tenkey_code: 'upstream_unavailable',
      message: expect.stringContaining(
        `The proxy 127.0.0.1:${proxy.port}, which EGRESS_PROXY names, ${text} An operator can `,
      ),
    });
    expect(failed.text).not.toContain(password);
    const { body } = await service.request(`${credentials()}/vllm?verify=true`, 'PUT', sysadmin, {
      api_key: apiKey,
      endpoint: `https://model.tenant.example:${providers.tenant.port}`,
    });
    expect(body).toMatchObject({ verification: { outcome: 'accepted' } });
  });

  it('the log names the proxy without its password', () => {
    const output = service.output();
    expect(output).toContain(`calls go through the proxy 127.0.0.1:${proxy.port}`);
    expect(output).toContain('which EGRESS_PROXY names');
    for (const secret of [password, encodeURIComponent(password), basic])
      expect(output).not.toContain(secret);
  });

  it('a start without EGRESS_PROXY warns of a proxy that the environment names', async () => {
    const other = await startServiceProcess({
      DATABASE_URL: database.url,
      HTTPS_PROXY: `http://tenkey:${encodeURIComponent(password)}@127.0.0.1:${proxy.port}`,
    });
    const line = other
      .output()
      .split('\n')
      .find((each) => each.includes('HTTPS_PROXY'));
    await other.stop();
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      level: 40,
      msg: 'calls go to the providers directly, although a proxy is named (HTTPS_PROXY). Set EGRESS_PROXY=environment to use it.',
    });
    expect(other.output()).not.toContain('word');
  });
});

describe('with EGRESS_PROXY=environment', () => {
  let proxy: ConnectProxy;
  let tenkey: TestApp;
  let tenant: string;
  beforeAll(async () => {
    proxy = await startConnectProxy();
    tenkey = await startTestApp({
      EGRESS_PROXY: 'environment',
      http_proxy: `http://127.0.0.1:${proxy.port}`,
      NO_PROXY: '10.0.0.0/8,.internal.example',
      EGRESS_ALLOW: 'model.internal.example:*',
    });
    tenant = await tenkey.createTenant();
    const { lookup } = dns;
    jest
      .spyOn(dns, 'lookup')
      .mockImplementation(((name: string, ...rest: [never, never]) =>
        lookup(name === 'model.internal.example' ? '127.0.0.1' : name, ...rest)) as typeof lookup);
  });
  beforeEach(() => {
    proxy.reset();
    tenkey.provider.reset();
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await tenkey.close();
    await proxy.close();
  });

  it.each([
    ["a tenant's endpoint that NO_PROXY names is called directly", 'model.internal.example', 0],
    ['any other endpoint is called through the proxy, which resolves its name', 'model.tenant.example', 1],
  ])('%s', async (_, host, tunnels) => {
    const endpoint = `http://${host}:${tenkey.provider.port}`;
    await tenkey.setCredential(tenant, 'vllm', { api_key: apiKey, endpoint });
    expect((await tenkey.chat(tenant, { model: 'gemma-vllm' })).status).toBe(200);
    expect(tenkey.provider.requests.map(({ key }) => key)).toEqual([apiKey]);
    expect(proxy.targets).toHaveLength(tunnels);
    expect(proxy.forwarded).toEqual([]);
  });

  it('an address of this machine that the operator set is called directly', async () => {
    await tenkey.setCredential(tenant, 'openai', { api_key: apiKey });
    expect((await tenkey.chat(tenant)).status).toBe(200);
    expect(proxy.targets).toEqual([]);
  });

  it.each(['http://127.0.0.1:9', 'http://169.254.169.254', 'http://metadata.google.internal'])(
    "a tenant's endpoint %s is refused as without a proxy",
    async (endpoint) => {
      const { status, body } = await tenkey.setCredential(tenant, 'vllm', { api_key: apiKey, endpoint });
      expect([status, body.code]).toEqual([422, 'endpoint_not_allowed']);
    },
  );
});
