import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { platformKey, superKey, encryptionKey } from '../support/app';
import { createTestDatabase, type TestDatabase } from '../support/postgres';
import { type ProviderServer, startProviderServer } from '../support/provider-server';
import { until } from '../support/until';

const root = join(__dirname, '../..');
/** Every prompt and every answer begins with one of these, and no two are the same. */
const PROMPT = 'kvx7PromptOfAPerson';
const ANSWER = 'kvx7AnswerOfAModel';

const base64Of = (text: string) =>
  [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
      .toString('base64')
      .slice(Math.ceil((offset * 4) / 3), -4),
  );
/** The markers as they are, in base64 at each position, and in hexadecimal. */
const traces = [PROMPT, ANSWER].flatMap((marker) => [
  marker,
  marker.toLowerCase(),
  ...base64Of(marker),
  Buffer.from(marker).toString('hex'),
]);
const foundIn = (text: string) => traces.filter((trace) => text.includes(trace));

/** Runs in the service. On a signal it collects garbage and writes what is left in the memory. */
const preload = `
  const v8 = require('node:v8');
  v8.setFlagsFromString('--expose-gc');
  const gc = require('node:vm').runInNewContext('gc');
  process.on('SIGUSR2', () => {
    for (let round = 0; round < 5; round += 1) gc();
    require('node:fs').renameSync(v8.writeHeapSnapshot(process.env.SNAPSHOT + '.part'), process.env.SNAPSHOT);
  });
`;

describe('prompts and answers', () => {
  let provider: ProviderServer;
  let database: TestDatabase;
  let folder: string;
  let service: ReturnType<typeof spawn>;
  let output = '';
  let base = '';
  let tenant = '';
  let number = 0;
  const prompt = () => `${PROMPT}${(number += 1)}`;
  const answer = () => `${ANSWER}${(number += 1)}`;

  beforeAll(async () => {
    provider = await startProviderServer();
    database = await createTestDatabase();
    folder = mkdtempSync(join(tmpdir(), 'tenkey-prompts-'));
    writeFileSync(join(folder, 'preload.cjs'), preload);
    const { PATH = '', HOME = '' } = process.env;
    service = spawn(
      process.execPath,
      ['--require', join(folder, 'preload.cjs'), join(root, 'dist/apps/api/main.js')],
      {
        cwd: folder,
        env: {
          PATH,
          HOME,
          PORT: '0',
          LOG_LEVEL: 'trace',
          SNAPSHOT: join(folder, 'memory.heapsnapshot'),
          DATABASE_URL: database.url,
          TENKEY_DATA_DIR: join(folder, 'data'),
          INTRIC_SUPER_API_KEY: superKey,
          PLATFORM_API_KEY: platformKey,
          ENCRYPTION_KEY: encryptionKey,
          OPENAI_BASE_URL: `${provider.url}/v1`,
          ANTHROPIC_BASE_URL: provider.url,
          COHERE_BASE_URL: provider.url,
          UPSTREAM_RETRIES: '0',
        },
      },
    );
    for (const stream of [service.stdout!, service.stderr!]) {
      stream.on('data', (part: Buffer) => (output += part.toString()));
    }
    await until(() => /listening on http/.test(output) || service.exitCode !== null, 'the service listens');
    base = /listening on (http:[^"\s]+)/.exec(output)?.[1] ?? `it has exited: ${output}`;
    tenant = (await sysadmin('POST', '/tenants', { name: 'sundsvall' })).id;
    for (const id of ['openai', 'anthropic', 'cohere']) {
      await sysadmin('PUT', `/tenants/${tenant}/credentials/${id}`, { api_key: `key-of-${id}-c4d5e6` });
    }
  }, 120_000);

  afterAll(async () => {
    const ended = new Promise((done) => service.once('exit', done));
    service.kill('SIGTERM');
    await ended;
    await provider.close();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function sysadmin(method: string, path: string, body: object) {
    const response = await fetch(`${base}/api/v1/sysadmin${path}`, {
      method,
      headers: { 'x-api-key': superKey, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as any;
  }

  async function call(path: string, body: object | FormData): Promise<{ status: number; text: string }> {
    const isForm = body instanceof FormData;
    const response = await fetch(`${base}/v1/${path}`, {
      method: 'POST',
      headers: {
        'x-api-key': platformKey,
        'x-tenant-id': tenant,
        connection: 'close',
        ...(!isForm && { 'content-type': 'application/json' }),
      },
      body: isForm ? body : JSON.stringify(body),
    });
    return { status: response.status, text: Buffer.from(await response.arrayBuffer()).toString('latin1') };
  }

  const form = (fields: Record<string, string>, file: string) => {
    const made = new FormData();
    for (const [name, value] of Object.entries(fields)) made.append(name, value);
    made.append('file', new Blob([file.repeat(50)]), `${prompt()}.mp3`);
    return made;
  };
  const said = () => [
    { role: 'system', content: prompt() },
    { role: 'user', content: prompt() },
  ];
  const tools = () => [
    { type: 'function', function: { name: 'find', description: prompt(), parameters: { type: 'object' } } },
  ];

  /** Each endpoint, in the provider's own format and translated, with and without a stream, and the answer if it is not an echo. */
  const calls: [name: string, path: string, body: () => object | FormData, next?: () => object][] = [
    ...['gpt-4o', 'claude-sonnet'].flatMap((model): (typeof calls)[number][] =>
      [false, true].flatMap((stream): (typeof calls)[number][] => [
        [
          `chat of ${model}, stream ${stream}`,
          'chat/completions',
          () => ({ model, messages: said(), stream }),
        ],
        [
          `tools of ${model}, stream ${stream}`,
          'chat/completions',
          () => ({ model, messages: said(), tools: tools(), stream }),
        ],
        [
          `messages of ${model}, stream ${stream}`,
          'messages',
          () => ({
            model,
            max_tokens: 50,
            system: prompt(),
            messages: [{ role: 'user', content: prompt() }],
            stream,
          }),
        ],
        [
          `responses of ${model}, stream ${stream}`,
          'responses',
          () => ({
            model,
            instructions: prompt(),
            input: prompt(),
            stream,
            store: model === 'gpt-4o',
            metadata: { note: prompt() },
            user: prompt(),
          }),
        ],
      ]),
    ),
    ['completions', 'completions', () => ({ model: 'gpt-4o', prompt: prompt() })],
    ['completions in a stream', 'completions', () => ({ model: 'gpt-4o', prompt: prompt(), stream: true })],
    [
      'count_tokens',
      'messages/count_tokens',
      () => ({ model: 'claude-sonnet', messages: [{ role: 'user', content: prompt() }] }),
    ],
    ['embeddings', 'embeddings', () => ({ model: 'text-embedding-3-small', input: [prompt(), prompt()] })],
    ['moderations', 'moderations', () => ({ model: 'omni-moderation', input: prompt() })],
    [
      'rerank',
      'rerank',
      () => ({ model: 'rerank', query: prompt(), documents: [prompt(), prompt()], return_documents: true }),
    ],
    [
      'images',
      'images/generations',
      () => ({ model: 'gpt-image', prompt: prompt() }),
      () => ({
        body: {
          created: 1,
          data: [{ b64_json: Buffer.from(answer()).toString('base64'), revised_prompt: answer() }],
        },
      }),
    ],
    [
      'speech',
      'audio/speech',
      () => ({ model: 'gpt-4o-mini-tts', voice: 'alloy', input: prompt() }),
      () => ({ body: Buffer.from(answer().repeat(100)), headers: { 'content-type': 'audio/mpeg' } }),
    ],
    [
      'a transcription',
      'audio/transcriptions',
      () => form({ model: 'whisper', prompt: prompt() }, prompt()),
      () => ({ body: { text: answer() } }),
    ],
    [
      'a translation',
      'audio/translations',
      () => form({ model: 'whisper', prompt: prompt() }, prompt()),
      () => ({ body: { text: answer() } }),
    ],
    [
      'a transcription in a stream',
      'audio/transcriptions',
      () => form({ model: 'whisper', stream: 'true' }, prompt()),
    ],
    [
      'an answer that is no echo',
      'chat/completions',
      () => ({ model: 'gpt-4o', messages: said() }),
      () => ({
        body: {
          id: 'chatcmpl-1',
          object: 'chat.completion',
          created: 1,
          model: 'gpt-4o',
          choices: [{ index: 0, message: { role: 'assistant', content: answer() }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
        },
      }),
    ],
    [
      'a stream that breaks off',
      'chat/completions',
      () => ({ model: 'gpt-4o', messages: said(), stream: true }),
      () => ({ breakAfterChunks: 3 }),
    ],
  ];
  const failing: typeof calls = [
    ['a model that does not exist', 'chat/completions', () => ({ model: prompt(), messages: said() })],
    ['a body that is not valid', 'chat/completions', () => ({ model: 5, messages: said() })],
    [
      'parameters that the provider does not have',
      'chat/completions',
      () => ({ model: 'claude-sonnet', messages: said(), logit_bias: { [prompt()]: 1 } }),
    ],
    [
      'an object of nobody',
      'responses',
      () => ({ model: 'gpt-4o', input: prompt(), previous_response_id: prompt() }),
    ],
    ['a provider without a key', 'chat/completions', () => ({ model: 'mistral-large', messages: said() })],
    [
      'a provider that fails',
      'chat/completions',
      () => ({ model: 'gpt-4o', messages: said() }),
      () => ({ status: 500, body: { error: { message: 'The server had an error.' } } }),
    ],
    [
      'a provider that sends nonsense',
      'chat/completions',
      () => ({ model: 'claude-sonnet', messages: said() }),
      () => ({ status: 200, body: `{"content":"${answer()}` }),
    ],
  ];

  it('are passed on by every endpoint', async () => {
    for (const [name, path, body, next] of calls) {
      if (next !== undefined) provider.next(next());
      const { status, text } = await call(path, body()).catch((error: Error) => ({
        status: 200,
        text: error.message,
      }));
      expect([name, status, status === 200 || text]).toEqual([name, 200, true]);
    }
    // The markers did arrive, so that the search below can find something.
    expect(provider.requests.filter(({ rawBody }) => rawBody.includes(PROMPT)).length).toBe(calls.length);
    for (const [name, path, body, next] of failing) {
      if (next !== undefined) provider.next(next());
      const { status } = await call(path, body());
      expect([name, status]).toEqual([name, expect.any(Number)]);
    }
    await until(async () => (await rowsOf('usage_records')).length >= calls.length, 'the usage is recorded');
  }, 120_000);

  const connected = async <Result>(run: (client: Client) => Promise<Result>) => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      return await run(client);
    } finally {
      await client.end();
    }
  };
  const rowsOf = (table: string) =>
    connected(
      async (client) =>
        (await client.query(`select t::text as row from ${table} t`)).rows as { row: string }[],
    );

  it('are in no line of the log, at the level trace', () => {
    expect(output).toContain('"path":"/v1/chat/completions"');
    expect(output.split('\n').filter((line) => foundIn(line).length > 0)).toEqual([]);
  });

  it('are in no table of the database', async () => {
    const tables = await connected(
      async (client) =>
        (
          await client.query(
            `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'`,
          )
        ).rows as { name: string }[],
    );
    const found: string[] = [];
    for (const { name } of tables) {
      const text = (await rowsOf(name)).map(({ row }) => row).join('\n');
      for (const trace of foundIn(text)) found.push(`${trace} in ${name}`);
    }
    expect([tables.length > 15, found]).toEqual([true, []]);
    // Of what OpenAI keeps, only hashes of ids are stored.
    const objects = await rowsOf('stored_objects');
    expect(objects.length).toBeGreaterThan(0);
    for (const { row } of objects) expect(row).not.toMatch(/resp_|msg_/);
  });

  it('are in no metric and in no answer of the sysadmin API', async () => {
    for (const path of [
      '/metrics',
      '/usage',
      '/usage/records?limit=1000',
      '/audit-events?limit=1000',
      '/readiness',
    ]) {
      const response = await fetch(`${base}/api/v1/sysadmin${path}`, { headers: { 'x-api-key': superKey } });
      const text = await response.text();
      expect([path, response.status === 200 || text, foundIn(text)]).toEqual([path, true, []]);
    }
  });

  it('are in no file of the working folder and of the data folder', () => {
    const files = (path: string): string[] =>
      existsSync(path)
        ? readdirSync(path).flatMap((name) => {
            const each = join(path, name);
            return statSync(each).isDirectory() ? files(each) : [each];
          })
        : [];
    const found = files(folder).filter((path) => foundIn(readFileSync(path, 'latin1')).length > 0);
    expect(found).toEqual([]);
  });

  it('are not in the memory any more when the calls have ended', async () => {
    const path = join(folder, 'memory.heapsnapshot');
    const forgotten = async () => {
      rmSync(path, { force: true });
      service.kill('SIGUSR2');
      await until(() => existsSync(path), 'the snapshot is written');
      const text = readFileSync(path, 'latin1');
      // It does contain the texts of the process.
      expect(text).toContain(superKey);
      return foundIn(text);
    };
    // Connections to the provider are kept for some seconds, with what they sent last.
    let found = await forgotten();
    for (let round = 0; found.length > 0 && round < 4; round += 1) {
      await new Promise((done) => setTimeout(done, 5000));
      found = await forgotten();
    }
    expect(found).toEqual([]);
  }, 180_000);
});
