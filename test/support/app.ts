import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Type } from '@nestjs/common';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import request from 'supertest';
import { type DataSource } from 'typeorm';
import { getDataSourceToken } from '@nestjs/typeorm';
import { ChangesService } from '#cache';
import { configFrom } from '#config';
import { generateKey } from '#crypto';
import { createLog } from '#log';
import { ModelCatalogue, shippedModelsFile } from '#model-routing';
import { createApp } from '../../apps/api/create-app';
import { createTestDatabase } from './postgres';
import { type ProviderServer, startProviderServer } from './provider-server';

export const superKey = 'test-super-key-4f1c0a7be2';
export const platformKey = 'test-platform-key-9d2e6b31';
export const encryptionKey = generateKey();

/** The shipped catalogue, and a legacy model, which it has none of. */
export const usualModels = `${readFileSync(shippedModelsFile(), 'utf8').replace(
  'completion_models:',
  'completion_models:\n  - { name: gpt-4o-legacy, family: openai }',
)}`;

export interface TestApp {
  readonly nest: NestFastifyApplication;
  readonly provider: ProviderServer;
  readonly database: DataSource;
  readonly databaseUrl: string;
  readonly logLines: string[];
  /** A supertest agent without any key. */
  http(): ReturnType<typeof request>;
  /** A request with the super key. */
  sysadmin(method: 'get' | 'put' | 'post' | 'patch' | 'delete', path: string): request.Test;
  /** A POST below /v1 for a tenant, with the platform key. */
  call(tenantId: string, path: string, body: object): request.Test;
  /** A chat completion for a tenant. */
  chat(tenantId: string, body?: Record<string, unknown>): request.Test;
  createTenant(name?: string): Promise<string>;
  setCredential(tenantId: string, provider: string, body: Record<string, unknown>): Promise<request.Response>;
  /** Changes rows in SQL. Resolves when the change is in force in every process on this database. */
  edit<Result = unknown>(statement: string, parameters?: unknown[]): Promise<Result>;
  /** Resolves when what was changed in SQL is in force in every process on this database. */
  inForce(): Promise<unknown>;
  close(): Promise<void>;
}

type Env = Record<string, string | undefined>;
interface Options {
  readonly databaseUrl?: string;
  /** The text of a model catalogue, in place of `usualModels`. */
  readonly models?: string;
  /** A file with the model catalogue, in place of a text. */
  readonly modelsFile?: string;
  readonly imports?: readonly Type[];
  /** Of the built console; absent: it is not served. */
  readonly consoleFolder?: string;
}
type Specs = (tenkey: TestApp) => void;

/**
 * A describe() whose tests share one application, which starts before them and closes after them. Use `tenkey` inside
 * hooks and tests only: it is empty until the application has started.
 */
export function describeWithApp(
  title: string,
  ...args: [Specs] | [env: Env, Specs] | [env: Env, options: Options, Specs]
): void {
  const specs = args.pop() as Specs;
  const settings = args as Parameters<typeof startTestApp>;
  describe(title, () => {
    const tenkey = {} as TestApp;
    beforeAll(async () => void Object.assign(tenkey, await startTestApp(...settings)));
    specs(tenkey);
    // jest runs these hooks in the order of their definition, so the application closes last.
    afterAll(() => tenkey.close());
  });
}

/** The real application on a database of its own and a local provider. `env` overrides its settings. */
export async function startTestApp(env: Env = {}, options: Options = {}): Promise<TestApp> {
  const provider = await startProviderServer();
  const created = options.databaseUrl ? undefined : await createTestDatabase();
  const databaseUrl = options.databaseUrl ?? created?.url ?? '';
  const base = `${provider.url}/v1`;
  const configFactory = configFrom({
    DATABASE_URL: databaseUrl,
    INTRIC_SUPER_API_KEY: superKey,
    PLATFORM_API_KEY: platformKey,
    ENCRYPTION_KEY: encryptionKey,
    LOG_LEVEL: 'trace',
    DATABASE_WAIT_SECONDS: '5',
    // Specs present more wrong keys than clients do.
    WRONG_KEYS_PER_MINUTE: '0',
    OPENAI_BASE_URL: base,
    MISTRAL_BASE_URL: base,
    OVHCLOUD_BASE_URL: base,
    BERGET_BASE_URL: base,
    COHERE_BASE_URL: provider.url,
    GEMINI_BASE_URL: base,
    GROQ_BASE_URL: base,
    ANTHROPIC_BASE_URL: provider.url,
    EGRESS_ALLOW: `127.0.0.1:${new URL(provider.url).port}`,
    ...env,
  });
  const config = configFactory();
  const logLines: string[] = [];
  const log = createLog(config.logLevel, config.secrets, {
    write: (line) => void logLines.push(line),
  });
  const catalogue =
    options.modelsFile === undefined
      ? ModelCatalogue.parse(options.models ?? usualModels, 'models.yml')
      : ModelCatalogue.load(options.modelsFile);
  let port: number | undefined = undefined;
  const nest = await createApp({
    configFactory,
    databaseUrl,
    catalogue,
    log,
    ownPort: () => port,
    imports: options.imports,
    consoleFolder: options.consoleFolder,
  });
  await nest.listen(0, '127.0.0.1');
  port = (nest.getHttpServer().address() as { port: number }).port;
  const root = '/api/v1/sysadmin';
  const tenkey: TestApp = {
    nest,
    provider,
    database: nest.get<DataSource>(getDataSourceToken()),
    databaseUrl,
    logLines,
    http: () => request(nest.getHttpServer()),
    sysadmin: (method, path) =>
      request(nest.getHttpServer())
        [method](root + path)
        .set('X-API-Key', superKey),
    call: (tenantId, path, body) =>
      request(nest.getHttpServer())
        .post(`/v1/${path}`)
        .set('X-API-Key', platformKey)
        .set('X-Tenant-ID', tenantId)
        .send(body),
    chat: (tenantId, body) =>
      tenkey.call(tenantId, 'chat/completions', {
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'hello' }],
        ...body,
      }),
    createTenant: async (name = `tenant-${randomUUID()}`) => {
      const response = await tenkey.sysadmin('post', '/tenants').send({ name });
      if (response.status !== 201) throw new Error(`the tenant was not created: ${response.status}`);
      return response.body.id as string;
    },
    setCredential: (tenantId, providerId, body) =>
      tenkey.sysadmin('put', `/tenants/${tenantId}/credentials/${providerId}`).send(body),
    edit: async <Result>(statement: string, parameters?: unknown[]) => {
      const result = await tenkey.database.query<Result>(statement, parameters);
      await tenkey.inForce();
      return result;
    },
    inForce: () => nest.get(ChangesService, { strict: false }).inForce(),
    close: async () => {
      await nest.close();
      await provider.close();
      await created?.drop();
    },
  };
  return tenkey;
}
