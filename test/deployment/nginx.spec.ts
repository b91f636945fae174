import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type ServiceProcess, type Services, startServices } from '../faults/service-processes';
import { platformKey } from '../support/app';
import { createAuthority } from '../support/certificates';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { type ProviderServer, startProviderServer } from '../support/provider-server';
import { freePort, type Program, startProgram } from './program';

const nginx = '/usr/sbin/nginx';
const block = readFileSync(join(__dirname, '../../deploy/nginx.conf'), 'utf8');

/** The shipped text with other values. A value that the file does not have is a mistake in the test. */
function substituted(values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`deploy/nginx.conf has no ${from}`);
    return text.replaceAll(from, to);
  }, block);
}

describe('behind nginx with deploy/nginx.conf', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-nginx-'));
  let database: TestDatabase;
  let services: Services;
  let slowProvider: ProviderServer;
  let agent: Agent;
  let ports: { nginx: number; first: number; second: number };
  let tenant: string;
  const programs: Program[] = [];

  beforeAll(async () => {
    // The workers of nginx run as another user than root.
    chmodSync(folder, 0o755);
    const authority = await createAuthority('test');
    const { cert, key } = await authority.issue('127.0.0.1');
    writeFileSync(join(folder, 'tenkey.pem'), cert);
    writeFileSync(join(folder, 'tenkey.key'), key, { mode: 0o600 });
    agent = new Agent({ connect: { ca: authority.cert }, connections: 64 });
    database = await createTestDatabase();
    slowProvider = await startProviderServer();
    ports = { nginx: await freePort(), first: await freePort(), second: await freePort() };
    services = await startServices(database.url, 0, {
      env: {
        DRAIN_SECONDS: '5',
        SHUTDOWN_SECONDS: '15',
        TRUST_PROXY: '127.0.0.1',
        MISTRAL_BASE_URL: `${slowProvider.url}/v1`,
        PUBLIC_URL: `https://127.0.0.1:${ports.nginx}/tenkey/`,
      },
    });
    const [service] = await Promise.all([startOn(ports.first), startOn(ports.second)]);
    tenant = (await service.change('POST', '/tenants', { name: 'behind-nginx' })).body.id;
    for (const provider of ['openai', 'mistral'])
      await service.change('PUT', `/tenants/${tenant}/credentials/${provider}`, {
        api_key: `key-of-${provider}-1234`,
      });
  });
  afterEach(async () => {
    for (const program of programs.splice(0)) await program.stop();
  });
  afterAll(async () => {
    await agent?.destroy();
    await services?.close();
    await slowProvider?.close();
    await database?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const startOn = (port: number): Promise<ServiceProcess> => services.start({ env: { PORT: String(port) } });

  /** Starts nginx with the shipped block after `nginx -t` has accepted it. */
  async function startNginx(more: Readonly<Record<string, string>> = {}): Promise<string> {
    const text = substituted({
      '127.0.0.1:3001': `127.0.0.1:${ports.first}`,
      '127.0.0.1:3002': `127.0.0.1:${ports.second}`,
      'listen 443': `listen 127.0.0.1:${ports.nginx}`,
      '/etc/ssl': folder,
      ...more,
    });
    writeFileSync(join(folder, 'tenkey.conf'), text);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const main = `daemon off; pid ${folder}/pid; error_log stderr; events {}
      http { access_log off; ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')} include ${folder}/tenkey.conf; }`;
    const path = join(folder, 'nginx.conf');
    writeFileSync(path, main);
    const args = ['-c', path, '-e', 'stderr'];
    execFileSync(nginx, ['-t', ...args], { stdio: 'pipe' });
    const base = `https://127.0.0.1:${ports.nginx}`;
    const isReady = () =>
      request(base, { dispatcher: agent }).then(
        ({ body }) => body.dump().then(() => true),
        () => false,
      );
    programs.push(await startProgram(nginx, args, 'nginx', isReady));
    return base;
  }

  const chat = (base: string, body: object) =>
    request(`${base}/v1/chat/completions`, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'a b c d e f g h' }], ...body }),
    });

  it('a rolling restart loses no call and no stream', async () => {
    const base = await startNginx();
    const failures: string[] = [];
    let [calls, streams, longestStreamMs] = [0, 0, 0];
    let isDone = false;
    const call = async () => {
      const { statusCode, body } = await chat(base, { model: 'gpt-4o' });
      const text = await body.text();
      calls += 1;
      if (statusCode !== 200 || !text.includes('"choices"')) failures.push(`call: ${statusCode} ${text}`);
    };
    const stream = async () => {
      slowProvider.next({ chunkDelayMs: 800 });
      const started = performance.now();
      const { statusCode, body } = await chat(base, { model: 'mistral-large', stream: true });
      let text = '';
      let firstMs: number | undefined;
      for await (const part of body) {
        firstMs ??= performance.now() - started;
        text += String(part);
      }
      streams += 1;
      const tookMs = performance.now() - started;
      longestStreamMs = Math.max(longestStreamMs, tookMs);
      if (statusCode !== 200 || !text.trim().endsWith('data: [DONE]'))
        failures.push(`stream: ${statusCode} ${text}`);
      // The first event does not wait for the others.
      if (firstMs === undefined || firstMs > tookMs / 2)
        failures.push(`the stream arrived only after ${firstMs} ms`);
    };
    const noting = (work: () => Promise<void>) =>
      work().catch((error: unknown) => void failures.push(String(error)));
    const running: Promise<void>[] = [];
    const load = (async () => {
      for (let turn = 0; !isDone || calls < 1000; turn += 1) {
        running.push(noting(call));
        if (turn % 10 === 0) running.push(noting(stream));
        await sleep(25);
      }
    })();
    const restart = async (service: ServiceProcess, port: number) => {
      service.child.kill('SIGTERM');
      expect(await service.ended).toBe(0);
      await startOn(port);
    };
    await sleep(2000);
    const [first, second] = services.all as [ServiceProcess, ServiceProcess];
    const byPort = first.base.endsWith(String(ports.first)) ? [first, second] : [second, first];
    await restart(byPort[0]!, ports.first);
    await sleep(15_000);
    await restart(byPort[1]!, ports.second);
    await sleep(2000);
    isDone = true;
    await load;
    await Promise.all(running);
    // nginx says why, apart from the refused connections of a restart.
    const reasons = programs[0]!
      .output()
      .split('\n')
      .filter((line) => /\[error\](?!.*Connection refused)/.test(line));
    expect({ failures, reasons }).toEqual({ failures: [], reasons: [] });
    expect(calls).toBeGreaterThanOrEqual(1000);
    expect(streams).toBeGreaterThan(50);
    expect(longestStreamMs).toBeGreaterThan(4000);
    // The new processes have served calls too.
    const requests = services.all.map((service) => service.logged('"path":"/v1/chat/completions"'));
    expect(requests).toHaveLength(4);
    for (const count of requests) expect(count).toBeGreaterThan(0);
  });

  it('the console, the documentation and hints keep the path prefix', async () => {
    const base = await startNginx({
      'location / {': 'location /tenkey/ {',
      'proxy_pass http://tenkey;': 'proxy_pass http://tenkey/;',
    });
    const get = async (url: string) => {
      const { statusCode, body } = await request(url, {
        dispatcher: agent,
        headers: { accept: 'text/html, */*' },
      });
      return { status: statusCode, text: await body.text() };
    };
    const root = `${base}/tenkey/`;
    for (const [address, element] of [
      [root, 'console'],
      [`${root}docs`, 'swagger-ui'],
    ] as const) {
      const { status, text } = await get(address);
      expect([status, text.includes(`<div id="${element}">`)]).toEqual([200, true]);
      const [, own = ''] = /<base href="([^"]+)"/.exec(text) ?? [];
      const links = [...text.matchAll(/<(?:script|link)[^>]* (?:src|href)="([^"]+)"/g)].map(
        ([, link]) => new URL(link!, new URL(own, address)).href,
      );
      expect(links.length).toBeGreaterThanOrEqual(3);
      for (const link of links) expect([link, (await get(link)).status]).toEqual([link, 200]);
    }
    const document = JSON.parse((await get(`${root}docs/openapi.json`)).text);
    expect(document.servers[0].url).toBe(root.slice(0, -1));
    expect((await get(`${document.servers[0].url}/health`)).status).toBe(200);
    const { statusCode, body } = await chat(root.slice(0, -1), { model: 'claude-sonnet' });
    const { message } = ((await body.json()) as any).error;
    expect([statusCode, message]).toEqual([
      424,
      expect.stringContaining(`PUT ${root}api/v1/sysadmin/tenants/${tenant}/credentials/`),
    ]);
  });
});
