import { describeWithApp } from './support/app';
import { type NextAnswer } from './support/provider-server';
import { until } from './support/until';
import { usageRecords } from './support/usage';

const models = `
completion_models:
  - { name: gpt, litellm_model_name: openai/gpt-4o }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
  - { name: llama, litellm_model_name: berget/llama }
`;
const key = 'sk-sentinel-of-streams-that-end';
const messages = [{ role: 'user', content: 'hello' }];
const data = (value: unknown) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const named = (type: string, fields: object = {}) => `event: ${type}\n${data({ type, ...fields })}`;
const delta = (fields: object, finish_reason: string | null = null) =>
  data({ id: 'c', choices: [{ index: 0, delta: fields, finish_reason }] });
const block = { index: 0, content_block: { type: 'text', text: '' } };

/** The streams of three APIs: the beginning, the event that completes the answer, and the last event. */
const streams = {
  'chat/completions': {
    request: { model: 'gpt', messages },
    beginning: [delta({ role: 'assistant', content: '' }), delta({ content: 'hej' })],
    completing: delta({}, 'stop'),
    last: data('[DONE]'),
  },
  messages: {
    request: { model: 'claude', messages, max_tokens: 9 },
    beginning: [
      named('message_start', {
        message: { id: 'm', role: 'assistant', content: [], usage: { input_tokens: 1 } },
      }),
      named('content_block_start', block),
      named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'hej' } }),
      named('content_block_stop', { index: 0 }),
    ],
    completing: named('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } }),
    last: named('message_stop'),
  },
  responses: {
    request: { model: 'gpt', input: 'hello' },
    beginning: [
      named('response.created', { response: { id: 'r', status: 'in_progress' } }),
      named('response.output_text.delta', { delta: 'hej' }),
    ],
    completing: '',
    last: named('response.completed', { response: { id: 'r', status: 'completed', output: [] } }),
  },
};
type Path = keyof typeof streams;
const paths = Object.keys(streams) as Path[];
/** Client's path, provider's path, model. */
const translations = [
  ['messages', 'chat/completions', 'gpt'],
  ['chat/completions', 'messages', 'claude'],
  ['responses', 'chat/completions', 'llama'],
  ['responses', 'messages', 'claude'],
] as const;
/** In the last event of a complete stream. */
const marks = { 'chat/completions': '[DONE]', messages: 'message_stop', responses: 'response.completed' };

describeWithApp('a stream', { UPSTREAM_TIMEOUTS: 'idle=20' }, { models }, (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    for (const id of ['openai', 'anthropic', 'berget'])
      await tenkey.setCredential(tenant, id, { api_key: key });
  });

  const read = async (path: Path, answer: NextAnswer, fields: object = {}) => {
    tenkey.provider.next(answer);
    const start = Date.now();
    const response = await tenkey.call(tenant, path, { ...streams[path].request, stream: true, ...fields });
    return { response, text: response.text, ms: Date.now() - start };
  };
  const recordOf = async () => (await usageRecords(tenkey, 1, `&tenant_id=${tenant}`))[0];

  it.each(paths)('that the provider ends in the middle of an answer ends with an error: %s', async (path) => {
    const { beginning } = streams[path];
    const { response, text } = await read(path, { chunks: beginning });
    const whole = beginning.join('');
    expect([response.status, text.startsWith(whole)]).toEqual([200, true]);
    const last = text.slice(whole.length);
    expect(last).toMatch(path === 'chat/completions' ? /^data: \{"error":/ : /^event: error\ndata: \{/);
    expect(last).toContain('ended its response before the answer was complete');
    expect(await recordOf()).toMatchObject({ outcome: 'broken_off', code: 'upstream_unavailable' });
  });

  it.each(translations)(
    'that the provider ends early is an error in %s translated from %s',
    async (path, from, model) => {
      const { text } = await read(path, { chunks: streams[from].beginning }, { model });
      expect(text).toContain('hej');
      expect(text).toContain('ended its response before the answer was complete');
      expect(await recordOf()).toMatchObject({ outcome: 'broken_off' });
    },
  );

  it.each(['chat/completions', 'messages'] as const)(
    'whose answer is complete needs no last event: %s',
    async (path) => {
      const { beginning, completing } = streams[path];
      const comments = Array.from({ length: 5 }, () => ': usage follows\n\n');
      const chunks = [...beginning, completing, ...comments];
      expect((await read(path, { chunks })).text).toBe(chunks.join(''));
      expect(await recordOf()).toMatchObject({ outcome: 'completed' });
    },
  );

  it.each(translations)(
    'whose answer is complete needs no last event in %s translated from %s',
    async (path, from, model) => {
      const { beginning, completing } = streams[from];
      const { text } = await read(path, { chunks: [...beginning, completing] }, { model });
      expect(text).not.toMatch(/^event: error$/m);
      expect(text).toContain(marks[path]);
      expect(await recordOf()).toMatchObject({ outcome: 'completed' });
    },
  );

  it.each(paths)('ends with its last event, even if the provider keeps it open: %s', async (path) => {
    const { beginning, completing, last } = streams[path];
    const text = [...beginning, completing, last].join('');
    const flow = { type: 'text/event-stream', parts: [Buffer.from(text)], isEndless: true };
    const received = await read(path, { flow });
    expect(received.text).toBe(text);
    expect(received.ms).toBeLessThan(1000);
    expect(await recordOf()).toMatchObject({ outcome: 'completed' });
    await until(() => tenkey.provider.calls.open === 0, 'the connection to the provider is closed');
  });

  it('has headers that tell proxies not to buffer it', async () => {
    const { response } = await read('chat/completions', {});
    expect(response.headers).toMatchObject({ 'cache-control': 'no-cache', 'x-accel-buffering': 'no' });
  });

  it.each([
    ['{"errors":[{"message":"It broke."}]}', 'It broke.'],
    ['{"detail":"It broke."}', 'It broke.'],
    [
      '{"choices":[{"index":0,"error":{"code":502,"message":"It broke."},"finish_reason":"error"}]}',
      'It broke.',
    ],
    ['[{"error":{"code":500,"message":"It broke."}}]', 'It broke.'],
    ['error: It broke.', 'error: It broke.'],
    ['{"err\\u006fr":{"message":"It broke."}}', 'It broke.'],
  ])('gets an error for the data %s', async (text, message) => {
    const { beginning } = streams['chat/completions'];
    const received = await read('chat/completions', { chunks: [...beginning, data(text), data('after')] });
    const last = received.text.slice(beginning.join('').length);
    expect(JSON.parse(last.slice('data: '.length))).toMatchObject({
      error: { message, tenkey_code: 'upstream_unavailable' },
    });
  });

  it.each(['event: Error\n', 'event:  error\n', 'event:ERROR\n'])('gets an error for %j', async (name) => {
    const { beginning } = streams['chat/completions'];
    const received = await read('chat/completions', { chunks: [...beginning, `${name}data: It broke.\n\n`] });
    expect(received.text).toContain('"message":"It broke."');
  });

  it('gets an error for JSON in place of an event', async () => {
    const { beginning } = streams['chat/completions'];
    const received = await read('chat/completions', {
      chunks: [...beginning, '{"error":{"message":"It broke."}}'],
    });
    expect(received.text).toContain('"message":"It broke.","type":"api_error"');
  });

  it.each([
    { choices: [{ delta: { content: '{"error":{"message":"no error"}}' } }] },
    { choices: [], error: null },
    { choices: [{ delta: { content: 'x' } }], detail: 'low' },
  ])('passes an event that only looks like an error: %j', async (event) => {
    const { completing, last } = streams['chat/completions'];
    const chunks = [data(event), completing, last];
    expect((await read('chat/completions', { chunks })).text).toBe(chunks.join(''));
  });
});

describeWithApp('with STREAM_HEARTBEAT_SECONDS', { STREAM_HEARTBEAT_SECONDS: '1' }, { models }, (tenkey) => {
  it.each([
    ['chat/completions', 'gpt', ': ping\n\n'],
    ['chat/completions', 'claude', ': ping\n\n'],
    ['messages', 'claude', 'event: ping\ndata: {"type": "ping"}\n\n'],
    ['responses', 'llama', ': ping\n\n'],
  ] as const)('a stream of %s from %s that is silent gets a heartbeat', async (path, model, ping) => {
    const tenant = await tenkey.createTenant();
    for (const id of ['openai', 'anthropic', 'berget'])
      await tenkey.setCredential(tenant, id, { api_key: key });
    const { beginning, completing, last } = streams[model === 'claude' ? 'messages' : 'chat/completions'];
    tenkey.provider.next({ chunks: [beginning.join(''), completing + last], chunkDelayMs: 1500 });
    const request = { ...streams[path].request, model, max_tokens: 9, stream: true };
    const { text } = await tenkey.call(tenant, path, request);
    expect(text.split(ping)).toHaveLength(2);
    expect(text.trimEnd().split('\n\n').at(-1)).toContain(marks[path]);
  });
});
