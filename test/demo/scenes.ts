import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import OpenAI from 'openai';
import { Client } from 'pg';
import { maskOf } from '#crypto';
import { holdsSecret, say, secret, step, write } from './output';
import { type Stage } from './stage';

interface Tenant {
  readonly name: string;
  readonly id: string;
  readonly key: string;
  readonly anthropicKey: string;
}

export async function tell(stage: Stage): Promise<void> {
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
  const berg = await createTenant(stage, 'berg');
  await refusesWithoutKey(stage, berg);

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

  step(
    "Someone copies the row of sundsvall to berg in SQL: berg's call is refused, and the key stays where it is",
  );
  await refusesCopiedRow(stage, first, berg);

  step('The provider repeats the key in its response: the client does not see it');
  await hidesRepeatedKey(stage, first);
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

async function refusal(stage: Stage, tenantId: string) {
  const answer = await chat(stage, tenantId);
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  return [answer, error] as const;
}

async function refusesWithoutKey(stage: Stage, tenantId: string): Promise<void> {
  const { requests } = stage.provider;
  const before = requests.length;
  const [answer, error] = await refusal(stage, tenantId);
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

/** Runs a statement without Tenkey, as someone with access to the database can. */
async function sql({ databaseUrl }: Stage, statement: string, values: unknown[] = []) {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Record<string, string>>(statement, values)).rows;
  } finally {
    await client.end();
  }
}

async function showRows(stage: Stage, tenants: readonly Tenant[]): Promise<void> {
  const rows = await sql(
    stage,
    'select t.name, c.* from tenant_credentials c join tenants t on t.id = c.tenant_id order by c.version',
  );
  assert.equal(rows.length, tenants.length + 1);
  for (const row of rows) {
    say(`  ${row.name}  ${row.key_hint}  ${row.sealed_api_key?.slice(0, 60)}...`);
    assert.equal(row.tenant_id, tenants.find(({ name }) => name === row.name)?.id);
    assert.ok(row.sealed_api_key?.startsWith('enc:fernet:v1:gAAAA'), 'the key is not sealed');
    assert.ok(!holdsSecret(JSON.stringify(row)), 'the row holds a key in clear text');
  }
}

async function refusesCopiedRow(stage: Stage, { id }: Tenant, thief: string): Promise<void> {
  // Every column is copied as it is, but for the tenant.
  const copied = await sql(
    stage,
    `insert into tenant_credentials
       select (jsonb_populate_record(c, jsonb_build_object('tenant_id', $2::text))).*
       from tenant_credentials c where tenant_id = $1 and provider = 'openai' returning key_hint`,
    [id, thief],
  );
  say(`  insert into tenant_credentials select ... -- the key ${copied[0]?.key_hint}, now in a row of berg`);
  const { requests } = stage.provider;
  const before = requests.length;
  let [answer, error] = await refusal(stage, thief);
  // A change in SQL is announced to Tenkey, which may take a moment.
  for (let tries = 1; tries < 100 && error.code === 'credential_not_configured'; tries += 1) {
    await wait(100);
    [answer, error] = await refusal(stage, thief);
  }
  const calls = requests.length - before;
  say(`  ${answer.status} ${error.code}\n  ${error.message}\n  calls the provider recorded: ${calls}`);
  assert.deepEqual([answer.status, error.code, calls], [424, 'credential_tampered', 0]);
}

async function hidesRepeatedKey(stage: Stage, { id, key }: Tenant): Promise<void> {
  const choice = {
    index: 0,
    message: { role: 'assistant', content: `You sent ${key}.` },
    finish_reason: 'stop',
  };
  const body = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-4o',
    choices: [choice],
  };
  stage.provider.next({ body });
  const answer = await chat(stage, id);
  const { choices } = (await answer.json()) as typeof body;
  say(`  the provider sent: You sent ${maskOf(key)}.\n  the client got:    ${choices[0]?.message.content}`);
  assert.equal(choices[0]?.message.content, `You sent ${'*'.repeat(key.length)}.`);
}
