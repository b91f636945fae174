import 'reflect-metadata';
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { loadConfig } from '#config';
import { generateKey, maskOf } from '#crypto';
import { startEmbeddedPostgres } from '#database';
import { createLog } from '#http';
import { ModelCatalogue } from '#model-routing';
import { createApp } from '../../apps/api/create-app';
import { startProviderServer } from '../support/provider-server';

const say = (text = '') => process.stdout.write(`${text}\n`);
const step = (text: string) => say(`\n== ${text}`);

/** Two tenants, one model, two keys: the story of Tenkey against a local provider, checked as it is told. */
async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tenkey-demo-'));
  const cleanUp: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    await tell(folder, cleanUp);
    say('\nThe demo went as told.');
  } finally {
    for (const each of cleanUp.reverse()) await each();
  }
}

async function tell(folder: string, cleanUp: (() => Promise<unknown>)[]): Promise<void> {
  step('Start: an embedded PostgreSQL, a local provider, and Tenkey on free ports');
  const postgres = await startEmbeddedPostgres({ dataDirectory: folder, log: () => undefined });
  cleanUp.push(
    () => rm(postgres.dataDirectory, { recursive: true, force: true }),
    () => postgres.stop(),
  );
  const provider = await startProviderServer();
  cleanUp.push(() => provider.close());
  const superKey = randomBytes(24).toString('hex');
  const platformKey = randomBytes(24).toString('hex');
  const databaseUrl = postgres.urlOf('tenkey');
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    INTRIC_SUPER_API_KEY: superKey,
    PLATFORM_API_KEY: platformKey,
    ENCRYPTION_KEY: generateKey(),
    OPENAI_BASE_URL: `${provider.url}/v1`,
    LOG_LEVEL: 'silent',
  });
  const catalogue = ModelCatalogue.parse('- { name: gpt-4o, litellm_model_name: openai/gpt-4o }', 'demo');
  const log = createLog('silent', []);
  const app = await createApp({ config, databaseUrl, catalogue, log, ownPort: () => undefined });
  cleanUp.push(() => app.close());
  await app.listen(0, '127.0.0.1');
  const base = `http://127.0.0.1:${(app.getHttpServer().address() as { port: number }).port}`;
  say(`Tenkey    ${base}`);
  say(`provider  ${provider.url}`);

  const sysadmin = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${base}/api/v1/sysadmin${path}`, {
      method,
      headers: { 'x-api-key': superKey, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    say(`${method} /api/v1/sysadmin${path}  ->  ${answer.status}`);
    return (await answer.json()) as Record<string, unknown>;
  };
  const chat = (tenantId: string, extra: object = {}) =>
    fetch(`${base}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenantId },
      body: JSON.stringify({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'Good morning' }],
        ...extra,
      }),
    });

  step('Two tenants, each with its own OpenAI key');
  const tenants: { name: string; id: string; key: string }[] = [];
  for (const name of ['sundsvall', 'ange']) {
    const key = `not-a-real-key-of-${name}-${randomBytes(2).toString('hex')}`;
    const { id } = await sysadmin('POST', '/tenants', { name });
    const set = await sysadmin('PUT', `/tenants/${String(id)}/credentials/openai`, { api_key: key });
    say(`  ${name}: ${String(set.masked_key)}`);
    tenants.push({ name, id: String(id), key });
  }

  step('The same model, called by both: each call carries the key of its tenant');
  for (const { name, id, key } of tenants) {
    const answer = await chat(id);
    const seen = provider.requests.at(-1)?.key;
    assert.equal(answer.status, 200);
    assert.equal(seen, key);
    say(
      `  ${name}: the provider saw ${maskOf(seen)}; x-tenkey-credential: ${answer.headers.get('x-tenkey-credential')}`,
    );
  }

  step('Streamed, as it arrives');
  const streamed = await chat(tenants[0]!.id, { stream: true });
  let text = '';
  const decoder = new TextDecoder();
  for await (const part of streamed.body!) text += decoder.decode(part, { stream: true });
  const events = text.split('\n\n').filter((event) => event.startsWith('data: {'));
  for (const event of events) {
    const chunk = JSON.parse(event.slice(6)) as { choices: { delta: { content?: string } }[] };
    process.stdout.write(chunk.choices[0]?.delta.content ?? '');
  }
  say();
  assert.ok(text.trimEnd().endsWith('data: [DONE]'));

  step('A tenant without a key: a clear error, and no call to anybody');
  const { id: bare } = await sysadmin('POST', '/tenants', { name: 'berg' });
  const calls = provider.requests.length;
  const refused = await chat(String(bare));
  const { error } = (await refused.json()) as { error: { code: string; message: string } };
  say(`  ${refused.status} ${error.code}\n  ${error.message}`);
  assert.equal(error.code, 'credential_not_configured');
  assert.equal(provider.requests.length, calls);

  step('What the sysadmin sees: the list, masked');
  const list = await sysadmin('GET', `/tenants/${tenants[0]!.id}/credentials`);
  say(JSON.stringify(list, null, 2));
  assert.ok(!JSON.stringify(list).includes(tenants[0]!.key));

  step('What the database sees: the key sealed, the row bound to its tenant');
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  const { rows } = await database.query<{ sealed_api_key: string; key_hint: string; version: string }>(
    'SELECT sealed_api_key, key_hint, version FROM tenant_credentials ORDER BY version',
  );
  await database.end();
  for (const row of rows) {
    say(`  v${row.version}  ${row.key_hint}  ${row.sealed_api_key.slice(0, 60)}...`);
    assert.ok(row.sealed_api_key.startsWith('enc:fernet:v1:gAAAA'));
  }
}

main().catch((error: unknown) => {
  process.stderr.write(
    `The demo failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
});
