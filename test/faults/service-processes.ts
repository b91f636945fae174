import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { Agent, type Dispatcher } from 'undici';
import { encryptionKey, platformKey, superKey } from '../support/app';
import { startProviderServer } from '../support/provider-server';
import { until } from '../support/until';

const root = join(__dirname, '../..');
const START_MS = 60_000;
let built: Promise<unknown> | undefined;

export interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: any;
}

/** What a call did: the code of the error, or the key that the provider received. */
export interface Outcome {
  readonly status: number;
  readonly code: string | undefined;
  readonly usedKey: string | undefined;
}

/** One process of the built service. */
export class ServiceProcess {
  base = '';
  /** How many requests it has not answered yet. */
  running = 0;
  readonly ended: Promise<number | null>;
  #text = '';

  constructor(
    readonly child: ChildProcess,
    private readonly agent: Agent,
  ) {
    const keep = (part: Buffer) => (this.#text += part.toString());
    child.stdout!.on('data', keep);
    child.stderr!.on('data', keep);
    this.ended = new Promise((done) => child.once('exit', done));
  }

  async started(): Promise<this> {
    const deadline = Date.now() + START_MS;
    for (;;) {
      const base = /listening on (http:[^"]+)/.exec(this.#text)?.[1];
      if (base !== undefined) return Object.assign(this, { base });
      if (this.child.exitCode !== null || Date.now() > deadline)
        throw new Error(`the process did not start: ${this.#text}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  /** How often a text is in the log. */
  logged(text: string): number {
    return this.#text.split(text).length - 1;
  }

  /** The log lines of requests that failed for an unknown reason. */
  faults(): string {
    const lines = this.#text.split('\n');
    return lines.filter((line) => line.includes('"code":"internal_error"')).join('\n');
  }

  async request(
    method: Dispatcher.HttpMethod,
    path: string,
    headers: object,
    body?: object,
  ): Promise<Answer> {
    this.running += 1;
    try {
      const response = await this.agent.request({
        origin: this.base,
        path,
        method,
        headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
        body: body && JSON.stringify(body),
      });
      const text = await response.body.text();
      return {
        status: response.statusCode,
        headers: response.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
    } finally {
      this.running -= 1;
    }
  }

  sysadmin(method: Dispatcher.HttpMethod, path: string, body?: object): Promise<Answer> {
    return this.request(method, `/api/v1/sysadmin${path}`, { 'x-api-key': superKey }, body);
  }

  /** @throws Error when the change was not made */
  async change(method: Dispatcher.HttpMethod, path: string, body?: object): Promise<Answer> {
    const answer = await this.sysadmin(method, path, body);
    if (answer.status < 300) return answer;
    throw new Error(`${method} of a change returned ${answer.status} ${answer.body?.code}`);
  }

  /** Stops all threads of the process, as a machine does that has no time for it. */
  async pause(): Promise<void> {
    this.child.kill('SIGSTOP');
    await until(async () => (await this.state()) === 'T', 'the process is stopped');
  }

  resume(): void {
    this.child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** As the kernel shows it: T is stopped. */
  async state(): Promise<string | undefined> {
    const status = await readFile(`/proc/${this.child.pid}/stat`, 'utf8');
    return /\) (\w)/.exec(status)?.[1];
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.resume();
    this.child.kill('SIGTERM');
    await this.ended;
  }
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A script that runs in the process before the service. */
  readonly preload?: string;
  /** A command that becomes the command that follows it. */
  readonly prefix?: readonly string[];
}

/**
 * Processes of the built service on one database, with one local provider.
 * @param databaseUrl for the queries of the test; `env` may give the processes another one
 */
export async function startServices(databaseUrl: string, count: number, options: StartOptions = {}) {
  built ??= promisify(execFile)(process.execPath, ['scripts/run.cjs', '--build-only'], { cwd: root });
  await built;
  const provider = await startProviderServer();
  const agent = new Agent({ connections: 64, headersTimeout: 120_000 });
  const folder = await mkdtemp(join(tmpdir(), 'tenkey-faults-'));
  const all: ServiceProcess[] = [];
  /** The keys that the provider received, by the text of the call. */
  const received = new Map<string, string | undefined>();

  const start = async (more: StartOptions = {}) => {
    const { env, preload, prefix = [] } = { ...options, ...more, env: { ...options.env, ...more.env } };
    const { PATH = '' } = process.env;
    const [command, ...parameters] = [
      ...prefix,
      process.execPath,
      ...(preload ? ['--require', preload] : []),
      join(root, 'dist/apps/api/main.js'),
    ] as const;
    const child = spawn(command, parameters, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        PATH,
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: '0',
        SHUTDOWN_SECONDS: '1',
        // The histories of tenants call with revoked keys as well.
        WRONG_KEYS_PER_MINUTE: '0',
        DATABASE_URL: databaseUrl,
        INTRIC_SUPER_API_KEY: superKey,
        PLATFORM_API_KEY: platformKey,
        ENCRYPTION_KEY: encryptionKey,
        OPENAI_BASE_URL: `${provider.url}/v1`,
        EGRESS_ALLOW: `127.0.0.1:${provider.port}`,
        ...env,
      },
    });
    const service = new ServiceProcess(child, agent);
    all.push(service);
    return service.started();
  };
  await Promise.all(Array.from({ length: count }, () => start()));
  /** The key with which the provider received the call with this text. */
  const receivedKey = (text: string): string | undefined => {
    for (const { body, key } of provider.requests.splice(0)) received.set(body?.messages?.[0]?.content, key);
    const key = received.get(text);
    received.delete(text);
    return key;
  };

  return {
    all,
    provider,
    start,
    receivedKey,
    /** Calls a model for a tenant, with the platform key or with a tenant key. */
    call: async (service: ServiceProcess, tenantId: string, tenantKey?: string): Promise<Outcome> => {
      const text = randomUUID();
      const headers = tenantKey
        ? { authorization: `Bearer ${tenantKey}` }
        : { 'x-api-key': platformKey, 'x-tenant-id': tenantId };
      const request = { model: 'gpt-4o', messages: [{ role: 'user', content: text }] };
      const { status, body } = await service.request('POST', '/v1/chat/completions', headers, request);
      return { status, code: body.error?.code as string | undefined, usedKey: receivedKey(text) };
    },
    /** @returns the id of a tenant with a credential */
    newTenant: async (providerId: string, fields: object = {}): Promise<string> => {
      const [service] = all;
      const { id } = (await service!.change('POST', '/tenants', { name: `tenant-${randomUUID()}` })).body;
      const body = { api_key: `sk-of-the-tenant-${id}`, ...fields };
      await service!.change('PUT', `/tenants/${id}/credentials/${providerId}`, body);
      return id as string;
    },
    /** How many usage records a tenant has. */
    recordsOf: async (tenantId: string): Promise<number> => {
      const statement = 'select count(*)::int as records from usage_records where tenant_id = $1';
      return (await queryOn<{ records: number }>(databaseUrl, statement, [tenantId]))[0]!.records;
    },
    /** The lease of each registered process, in milliseconds. */
    leases: async (): Promise<number[]> => {
      const rows = await queryOn<{ lease_ms: number }>(
        databaseUrl,
        'select lease_ms from registered_processes',
      );
      return rows.map(({ lease_ms }) => lease_ms).sort((a, b) => a - b);
    },
    query: <Row extends object>(statement: string, parameters?: unknown[]) =>
      queryOn<Row>(databaseUrl, statement, parameters),
    close: async () => {
      await Promise.all(all.map((service) => service.end()));
      await agent.destroy();
      await provider.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Each statement has a connection of its own, because tests stop the database. */
async function queryOn<Row extends object>(url: string, statement: string, parameters?: unknown[]) {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(statement, parameters)).rows;
  } finally {
    await client.end();
  }
}

export type Services = Awaited<ReturnType<typeof startServices>>;
