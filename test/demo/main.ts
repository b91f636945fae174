import 'reflect-metadata';
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { Client } from 'pg';
import { configFrom } from '#config';
import { generateKey, maskOf } from '#crypto';
import { startEmbeddedPostgres } from '#database';
import { createLog } from '#log';
import { ModelCatalogue } from '#model-routing';
import { createApp } from '../../apps/api/create-app';
import { type ProviderServer, startProviderServer } from '../support/provider-server';

type CleanUp = () => Promise<unknown>;

interface Stage {
  readonly base: string;
  readonly provider: ProviderServer;
  readonly databaseUrl: string;
  readonly superKey: string;
  readonly platformKey: string;
}

interface Tenant {
  readonly name: string;
  readonly id: string;
  readonly key: string;
  readonly anthropicKey: string;
}

/** Secrets, which must never be printed whole. */
const secrets: string[] = [];
let stopSignal: string | undefined;

function write(text: string): void {
  if (stopSignal !== undefined) throw new Error(`stopped by ${stopSignal}`);
  assert.ok(!secrets.some((secret) => text.includes(secret)), 'a line would have shown a whole key');
  process.stdout.write(text);
}

function secret(text: string): string {
  secrets.push(text);
  return text;
}

const say = (text = '') => write(`${text}\n`);
const step = (text: string) => say(`\n== ${text}`);

/** Shows two tenants, one model and two keys with a local provider, and checks each step. */
async function main(): Promise<void> {
  // After the signal, writing the next line throws, so that everything is cleaned up. A second Ctrl-C exits immediately.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopSignal = signal));
  const cleanUps: CleanUp[] = [];
  const faults: unknown[] = [];
  try {
    await tell(await setUp(cleanUps));
  } catch (error) {
    faults.push(error);
  }
  for (const cleanUp of cleanUps.reverse()) await cleanUp().catch((error: unknown) => faults.push(error));
  if (faults.length === 0) return say('\nThe demo succeeded. Everything is stopped and removed.');
  for (const fault of faults) complain(fault);
  process.exit(1);
}

async function setUp(cleanUps: CleanUp[]): Promise<Stage> {
  step('Start: an embedded PostgreSQL, a local provider, and Tenkey on free ports');
  const folder = await mkdtemp(join(tmpdir(), 'tenkey-demo-'));
  const remove = (path: string) => cleanUps.push(() => rm(path, { recursive: true, force: true }));
  remove(folder);
  // Started by root, the server runs as another user, which needs access to the folder.
  await chmod(folder, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDirectory: folder, log: () => undefined });
  remove(postgres.dataDirectory);
  remove(postgres.socketDirectory);
  cleanUps.push(() => postgres.stop());
  const provider = await startProviderServer();
  cleanUps.push(() => provider.close());

  const superKey = secret(randomBytes(24).toString('hex'));
  const platformKey = secret(randomBytes(24).toString('hex'));
  const databaseUrl = postgres.urlOf('tenkey');
  const configFactory = configFrom({
    DATABASE_URL: databaseUrl,
    INTRIC_SUPER_API_KEY: superKey,
    PLATFORM_API_KEY: platformKey,
    ENCRYPTION_KEY: secret(generateKey()),
    OPENAI_BASE_URL: `${provider.url}/v1`,
    ANTHROPIC_BASE_URL: provider.url,
    LOG_LEVEL: 'silent',
  });
  const models =
    '- { name: gpt-4o, litellm_model_name: openai/gpt-4o }\n' +
    '- { name: claude-sonnet, litellm_model_name: anthropic/claude-sonnet-4-5 }';
  const catalogue = ModelCatalogue.parse(models, 'demo');
  let port: number | undefined = undefined;
  const log = createLog(configFactory().logLevel, []);
  const app = await createApp({ configFactory, databaseUrl, catalogue, log, ownPort: () => port });
  cleanUps.push(() => app.close());
  await app.listen(0, '127.0.0.1');
  port = (app.getHttpServer().address() as { port: number }).port;
  const base = `http://127.0.0.1:${port}`;
  say(`Tenkey    ${base}`);
  say(`provider  ${provider.url}`);
  return { base, provider, databaseUrl, superKey, platformKey };
}

async function tell(stage: Stage): Promise<void> {
  step('Two tenants, each with its own OpenAI key');
  const tenants: Tenant[] = [];
  for (const name of ['sundsvall', 'ange']) {
    const key = secret(`not-a-real-key-of-${name}-${randomBytes(2).toString('hex')}`);
    const anthropicKey = secret(`not-a-real-anthropic-key-of-${name}-${randomBytes(2).toString('hex')}`);
    const id = await createTenant(stage, name);
    const path = `/tenants/${id}/credentials/openai`;
    const { masked_key } = await sysadmin(stage, 'PUT', path, 200, { api_key: key });
    assert.equal(masked_key, maskOf(key));
    say(`  ${name}: ${maskOf(key)}`);
    tenants.push({ name, id, key, anthropicKey });
  }

  step('Both tenants call the same model: each call carries the key of its tenant');
  for (const tenant of tenants) await provesItsKey(stage, tenant, await chat(stage, tenant.id));

  step('A stream, printed as it arrives');
  const [first] = tenants as [Tenant];
  stage.provider.next({ chunkDelayMs: 100 });
  const streamed = await chat(stage, first.id, { stream: true });
  await printStream(streamed);
  await provesItsKey(stage, first, streamed);
  assert.equal(stage.provider.requests.length, 3, 'the provider did not get as many calls as were made');

  step("An Anthropic model through OpenAI's own client: translated in both directions");
  await callsAnthropic(stage, first);

  step('A tenant without a key: a clear error, and no call to a provider');
  await refusesWithoutKey(stage, await createTenant(stage, 'berg'));

  step('What the sysadmin sees: the list with masked keys');
  const list = await sysadmin(stage, 'GET', `/tenants/${first.id}/credentials`, 200);
  say(JSON.stringify(list, null, 2));
  assert.deepEqual(
    list.credentials.map((each: Record<string, unknown>) => [each.provider, each.masked_key, each.status]),
    [
      ['anthropic', maskOf(first.anthropicKey), 'ready'],
      ['openai', maskOf(first.key), 'ready'],
    ],
  );

  step('What the database stores: the sealed key, in a row that is bound to its tenant');
  await showRows(stage, tenants);
}

async function sysadmin(
  stage: Stage,
  method: string,
  path: string,
  expected: number,
  body?: object,
): Promise<any> {
  const answer = await fetch(`${stage.base}/api/v1/sysadmin${path}`, {
    method,
    headers: { 'x-api-key': stage.superKey, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  say(`${method} /api/v1/sysadmin${path}  ->  ${answer.status}`);
  assert.equal(answer.status, expected);
  return answer.json();
}

async function createTenant(stage: Stage, name: string): Promise<string> {
  const { id } = await sysadmin(stage, 'POST', '/tenants', 201, { name });
  return String(id);
}

function chat(stage: Stage, tenantId: string, extra: object = {}): Promise<Response> {
  const messages = [{ role: 'user', content: 'Good morning to the whole town hall' }];
  return fetch(`${stage.base}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-api-key': stage.platformKey,
      'x-tenant-id': tenantId,
    },
    body: JSON.stringify({ model: 'gpt-4o', messages, ...extra }),
    signal: AbortSignal.timeout(30_000),
  });
}

/** Checks that the provider's last call carried exactly this tenant's key, and that the response names it. */
async function provesItsKey(stage: Stage, { name, key }: Tenant, answer: Response): Promise<void> {
  if (!answer.bodyUsed) await answer.arrayBuffer();
  const seen = stage.provider.requests.at(-1)?.key ?? '';
  const header = answer.headers.get('x-tenkey-credential') ?? '';
  say(`  ${name}: the provider saw ${maskOf(seen)}; x-tenkey-credential: ${header}`);
  assert.equal(answer.status, 200);
  // assert.equal would print both keys.
  assert.ok(seen === key, `the provider did not get the key of ${name}`);
  assert.ok(header.startsWith(`openai/${maskOf(key)}/`), `the header does not name the key of ${name}`);
}

async function printStream(answer: Response): Promise<void> {
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
  const decoder = new TextDecoder();
  let pending = '';
  let parts = 0;
  let isDone = false;
  write('  ');
  for await (const bytes of answer.body ?? []) {
    const events = (pending + decoder.decode(bytes, { stream: true })).split('\n\n');
    pending = events.pop() ?? '';
    parts += 1;
    for (const event of events) {
      const data = event.replace(/^data: /, '');
      if (data === '[DONE]') isDone = true;
      else write(JSON.parse(data).choices[0]?.delta.content ?? '');
    }
  }
  say();
  assert.ok(isDone, 'the stream ended without [DONE]');
  assert.ok(parts > 1, 'the stream arrived in one piece');
}

/** Uses the client as any application does. Only its address and two headers differ. */
async function callsAnthropic(stage: Stage, { id, anthropicKey }: Tenant): Promise<void> {
  await sysadmin(stage, 'PUT', `/tenants/${id}/credentials/anthropic`, 200, { api_key: anthropicKey });
  const client = new OpenAI({
    baseURL: `${stage.base}/v1`,
    apiKey: 'unused-by-tenkey',
    defaultHeaders: { 'X-API-Key': stage.platformKey, 'X-Tenant-ID': id },
    maxRetries: 0,
  });
  const request = {
    model: 'claude-sonnet',
    messages: [
      { role: 'system' as const, content: 'Be brief.' },
      { role: 'user' as const, content: 'Good morning, Claude' },
    ],
  };
  const whole = await client.chat.completions.create(request);
  say(`  whole:    ${whole.choices[0]?.message.content} (${whole.usage?.total_tokens} tokens)`);
  const stream = await client.chat.completions.create({ ...request, stream: true });
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  say(`  streamed: ${text}`);
  const calls = stage.provider.requests.slice(-2);
  say(`  the provider saw POST ${calls[0]?.path} with ${maskOf(calls[0]?.key ?? '')}`);
  say(`  ${calls[0]?.rawBody}`);
  assert.ok(calls.every((call) => call.path === '/v1/messages' && call.key === anthropicKey));
  assert.deepEqual(calls[0]?.body.system ?? '', 'Be brief.');
  assert.equal(text, whole.choices[0]?.message.content);
}

async function refusesWithoutKey(stage: Stage, tenantId: string): Promise<void> {
  const { requests } = stage.provider;
  const before = requests.length;
  const answer = await chat(stage, tenantId);
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  const calls = requests.length - before;
  say(`  ${answer.status} ${error.code}\n  ${error.message}\n  calls the provider recorded: ${calls}`);
  assert.equal(answer.status, 424);
  assert.equal(error.code, 'credential_not_configured');
  assert.ok(
    error.message.includes(`PUT /api/v1/sysadmin/tenants/${tenantId}/credentials/openai`),
    'the error does not say which request fixes it',
  );
  assert.equal(calls, 0);
}

async function showRows({ databaseUrl }: Stage, tenants: readonly Tenant[]): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, string>>(
      'select t.name, c.* from tenant_credentials c join tenants t on t.id = c.tenant_id order by c.version',
    );
    assert.equal(rows.length, tenants.length + 1);
    for (const row of rows) {
      say(`  ${row.name}  ${row.key_hint}  ${row.sealed_api_key?.slice(0, 60)}...`);
      assert.equal(row.tenant_id, tenants.find(({ name }) => name === row.name)?.id);
      assert.ok(row.sealed_api_key?.startsWith('enc:fernet:v1:gAAAA'), 'the key is not sealed');
      const isOpen = secrets.some((each) => JSON.stringify(row).includes(each));
      assert.ok(!isOpen, 'the row holds a key in clear text');
    }
  } finally {
    await client.end();
  }
}

function complain(fault: unknown): void {
  const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
  const safe = secrets.reduce((cleaned, each) => cleaned.replaceAll(each, maskOf(each)), text);
  process.stderr.write(`The demo failed: ${safe}\n`);
}

void main();
