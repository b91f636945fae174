import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { encryptionKey, platformKey, superKey } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { type ProviderServer, startProviderServer } from '../support/provider-server';
import { type ServiceProcess, startServiceProcess } from '../support/service-process';
import { until } from '../support/until';
import { CONVENTIONS } from '../../apps/api/traces/gen-ai';

const root = join(__dirname, '../..');
const conventionsVersion = (
  JSON.parse(
    readFileSync(join(root, 'node_modules/@opentelemetry/semantic-conventions/package.json'), 'utf8'),
  ) as { version: string }
).version;

interface Span {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: { code: number };
  attributes: Record<string, unknown>;
}

/** A collector that speaks OTLP over HTTP with JSON. */
class Collector {
  readonly bodies: string[] = [];
  readonly paths = new Set<string>();
  readonly #server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      this.paths.add(`${request.method} ${request.url}`);
      this.bodies.push(Buffer.concat(parts).toString());
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  get scopes(): any[] {
    return this.bodies.flatMap((body) =>
      JSON.parse(body).resourceSpans.flatMap((each: any) => each.scopeSpans),
    );
  }

  get spans(): Span[] {
    const valueOf = ({ value }: any) => value.stringValue ?? Number(value.intValue ?? value.doubleValue);
    return this.scopes.flatMap(({ spans }) =>
      spans.map((span: any) => ({
        ...span,
        attributes: Object.fromEntries(span.attributes.map((each: any) => [each.key, valueOf(each)])),
      })),
    );
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

describe('traces', () => {
  const collector = new Collector();
  const [clientTrace, clientSpan] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
  const secrets = ['prompt-marker-q1w2', 'answer-marker-e3r4', 'sk-key-of-traced-calls-t5y6'];
  let provider: ProviderServer;
  let database: TestDatabase;
  let service: ServiceProcess;
  let tenant: string;
  let ids: Record<string, string>;

  const start = (endpoint: string) =>
    startServiceProcess({
      DATABASE_URL: database.url,
      OPENAI_BASE_URL: `${provider.url}/v1`,
      MISTRAL_BASE_URL: `${provider.url}/v1`,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    });
  /** A request to a process, with the answer's text read. */
  const ask = async (
    of: ServiceProcess,
    path: string,
    headers: Record<string, string>,
    body?: object,
    method = 'POST',
  ) => {
    const base = /listening on (http:[^"]+)/.exec(of.output())?.[1] ?? '';
    const response = await fetch(base + path, {
      method: body === undefined ? 'GET' : method,
      headers: { 'content-type': 'application/json', ...headers },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { text, status: response.status, id: response.headers.get('x-tenkey-request-id')! };
  };
  const sysadmin = async (path: string, body: object, method?: string) =>
    JSON.parse((await ask(service, `/api/v1/sysadmin${path}`, { 'x-api-key': superKey }, body, method)).text);

  beforeAll(async () => {
    [provider, database] = [await startProviderServer(), await createTestDatabase()];
    service = await start(await collector.listen());
    tenant = (await sysadmin('/tenants', { name: 'sundsvall' })).id;
    for (const name of ['openai', 'mistral']) {
      await sysadmin(`/tenants/${tenant}/credentials/${name}`, { api_key: secrets[2] }, 'PUT');
    }
    const { key } = await sysadmin(`/tenants/${tenant}/keys`, { name: 'traced' });
    secrets.push(key, key.split('_')[2]);
    const call = async (traceparent: string | undefined, model: string, fields: object = {}) => {
      const headers = { authorization: `Bearer ${key}`, ...(traceparent !== undefined && { traceparent }) };
      const messages = [{ role: 'user', content: secrets[0] }];
      const body = { model, messages, user: secrets[0], ...fields };
      return (await ask(service, '/v1/chat/completions', headers, body)).id;
    };
    const choices = [{ message: { role: 'assistant', content: secrets[1] } }];
    const usage = { prompt_tokens: 7, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 2 } };
    provider.next({ status: 503, headers: { 'retry-after': '0' } });
    provider.next({ body: { choices, usage } });
    ids = {
      traced: await call(`00-${clientTrace}-${clientSpan}-01`, 'gpt-4o'),
      notSampled: await call(`00-${clientTrace}-${clientSpan}-00`, 'gpt-4o'),
      malformed: await call(`00-${'0'.repeat(32)}-${clientSpan}-01`, 'gpt-4o', { stream: true }),
      unconfigured: await call(undefined, 'claude-sonnet'),
    };
    provider.next({ status: 500 });
    ids.failed = await call(undefined, 'mistral-large');
    ids.unknown = (await ask(service, `/v1/path-${secrets[0]}?x=${secrets[0]}`, {})).id;
    await until(() => of('unknown').length > 0, 'the spans', 30_000);
  }, 200_000);
  afterAll(async () => {
    await service.stop();
    collector.close();
    await provider.close();
    await database.drop();
  });

  /** The spans of a request: its own first. */
  const of = (name: string) => {
    const own = collector.spans.filter(({ attributes }) => attributes['tenkey.request.id'] === ids[name]);
    if (own[0] === undefined) return [];
    return [...own, ...collector.spans.filter(({ parentSpanId }) => parentSpanId === own[0]!.spanId)];
  };

  it('have a span for the request, below that of the client, and one for the call to the provider', () => {
    const [request, call, ...others] = of('traced');
    expect(others).toEqual([]);
    expect(request).toMatchObject({ traceId: clientTrace, parentSpanId: clientSpan, kind: 2 });
    expect(request!.name).toBe('POST /v1/chat/completions');
    expect(request!.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/v1/chat/completions',
      'url.scheme': 'http',
      'tenkey.request.id': ids.traced,
      'tenkey.tenant.id': tenant,
      'http.response.status_code': 200,
    });
    expect(call).toMatchObject({ traceId: clientTrace, kind: 3, name: 'chat gpt-4o' });
    expect(call!.attributes).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.usage.output_tokens': 5,
      'gen_ai.usage.cache_read.input_tokens': 2,
      'server.address': '127.0.0.1',
      'server.port': provider.port,
      'http.response.status_code': 200,
      'http.request.resend_count': 1,
      'tenkey.model': 'gpt-4o',
      'tenkey.outcome': 'completed',
      'tenkey.credential.source': 'tenant',
      'tenkey.tenant.id': tenant,
    });
    const times = [call!.startTimeUnixNano, call!.endTimeUnixNano].map(Number);
    expect(times[1]! - times[0]!).toBeGreaterThan(0);
    expect(Math.abs(times[0]! / 1e6 - Date.now())).toBeLessThan(120_000);
  });

  it('are of the client’s decision, and a new one when its header is malformed', () => {
    expect(of('notSampled')).toEqual([]);
    const [request, call] = of('malformed');
    expect(request!.traceId).not.toMatch(/^0+$/);
    expect(request!.parentSpanId ?? '').toBe('');
    expect(call!.attributes['tenkey.outcome']).toBe('completed');
  });

  it('say why a call failed, and which never reached a provider', () => {
    const [request, call] = of('failed');
    expect(request!.attributes).toMatchObject({ 'error.type': 'upstream_unavailable' });
    expect(call!.attributes).toMatchObject({
      'error.type': 'upstream_unavailable',
      'gen_ai.provider.name': 'mistral_ai',
      'http.response.status_code': 500,
    });
    expect([request!.status.code, call!.status.code]).toEqual([2, 2]);
    const refused = of('unconfigured');
    expect(refused).toHaveLength(1);
    expect(refused[0]!.attributes['tenkey.problem']).toBe('credential_not_configured');
    expect(refused[0]!.attributes).not.toHaveProperty(['error.type']);
    expect(of('unknown')[0]!.name).toBe('GET');
  });

  it('contain no prompt, no answer and no key', () => {
    const sent = collector.bodies.join('\n');
    expect(sent).toContain(ids.traced);
    for (const secret of [...secrets, superKey, platformKey, encryptionKey])
      expect(sent).not.toContain(secret);
    expect([...collector.paths]).toEqual(['POST /v1/traces']);
  });

  it('use the names of the pinned version of the semantic conventions', () => {
    expect(CONVENTIONS).toBe(conventionsVersion);
    for (const { schemaUrl, scope } of collector.scopes)
      expect([schemaUrl, scope.name]).toEqual([`https://opentelemetry.io/schemas/${CONVENTIONS}`, 'tenkey']);
    const known = new Set<unknown>(Object.values(conventions).filter((value) => typeof value === 'string'));
    const named = new Set(collector.spans.flatMap(({ attributes }) => Object.keys(attributes)));
    expect(named.size).toBeGreaterThan(12);
    expect([...named].filter((name) => !name.startsWith('tenkey.') && !known.has(name))).toEqual([]);
    const values = ['gen_ai.operation.name', 'gen_ai.provider.name'].flatMap((name) =>
      collector.spans.flatMap(({ attributes }) => attributes[name] ?? []),
    );
    expect(values.filter((value) => !known.has(value))).toEqual([]);
  });

  it('that a collector does not accept cost a line in the log, and no call', async () => {
    const away = await start('http://127.0.0.1:1');
    const lines = () => away.output().split('traces are lost: the collector at').length - 1;
    let began = 0;
    try {
      const headers = { 'x-api-key': platformKey, 'x-tenant-id': tenant };
      const body = { model: 'gpt-4o', messages: [] };
      expect((await ask(away, '/v1/chat/completions', headers, body)).status).toBe(200);
      // After the exporter has tried it several times.
      await until(() => lines() > 0, 'the warning', 60_000);
      expect((await ask(away, '/v1/chat/completions', headers, body)).status).toBe(200);
    } finally {
      began = Date.now();
      await away.stop();
    }
    expect(Date.now() - began).toBeLessThan(10_000);
    expect(lines()).toBe(1);
  });
});

describe('an installation without the packages of OpenTelemetry', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenkey-untraced-'));
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, ['scripts/run.cjs', '--build-only'], { cwd: root });
    cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    mkdirSync(join(folder, 'apps/api'), { recursive: true });
    cpSync(join(root, 'apps/api/ai_models.yml'), join(folder, 'apps/api/ai_models.yml'));
    mkdirSync(join(folder, 'node_modules'));
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (!['@opentelemetry', '.cache'].includes(name))
        symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const start = (env: Record<string, string>) => {
    const { PATH = '' } = process.env;
    const keys = {
      INTRIC_SUPER_API_KEY: superKey,
      PLATFORM_API_KEY: platformKey,
      ENCRYPTION_KEY: encryptionKey,
    };
    return spawnSync(process.execPath, ['dist/apps/api/main.js'], {
      cwd: folder,
      env: { PATH, PORT: '0', NODE_ENV: 'production', ...keys, ...env },
      encoding: 'utf8',
      timeout: 15_000,
    });
  };

  it('starts without traces, and says what to install when there is a collector', async () => {
    const database = await createTestDatabase();
    try {
      // It runs until the time-out ends it.
      const untraced = start({ DATABASE_URL: database.url });
      expect(untraced.stdout).toContain('listening on');
      const { status, stdout } = start({
        DATABASE_URL: database.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
      });
      const { level, msg } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { level: number; msg: string };
      expect([status, level, msg]).toEqual([
        1,
        60,
        expect.stringMatching(
          /^Tenkey cannot start:\n {2}- OTEL_EXPORTER_OTLP_ENDPOINT is set, and .* Run npm install --no-save @opentelemetry\/api@\S+ .*, or remove the setting\.$/,
        ),
      ]);
      expect(stdout).not.toContain('listening on');
    } finally {
      await database.drop();
    }
  });
});
