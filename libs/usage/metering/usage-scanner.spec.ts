import { anthropic } from '../../../test/fixtures/recorded-answers/anthropic';
import { openAiCompatible } from '../../../test/fixtures/recorded-answers/openai-compatible';
import { type Recorded } from '../../../test/fixtures/recorded-answers/recorded';
import { dialectOf, type ProviderRequest } from '../../../test/support/answer-parts';
import { usualAnswer } from '../../../test/support/provider-answers';
import { type ReportedTokens } from './reported-tokens';
import { UsageScanner } from './usage-scanner';

const json = 'application/json';
const events = 'text/event-stream; charset=utf-8';
const recorded: Readonly<Record<string, Recorded>> = { ...openAiCompatible, anthropic };

const of = (
  input: number | null,
  output: number | null,
  cached: number | null = null,
  cacheWrite: number | null = null,
  searchUnits: number | null = null,
) => ({ input, output, cached, cacheWrite, searchUnits }) satisfies ReportedTokens;
/** The tokens of the recorded responses: whole, and as a stream. */
const expected: Readonly<Record<string, readonly [ReportedTokens, ReportedTokens | undefined]>> = {
  openai: [of(19, 10, 0), of(19, 10)],
  azure: [of(8, 1), undefined],
  mistral: [of(16, 34), of(16, 34)],
  vllm: [of(15, 18), undefined],
  ovhcloud: [of(44, 9), undefined],
  berget: [of(36, 10), of(36, 10)],
  gemini: [of(7, 10), undefined],
  groq: [of(18, 556), of(18, 3)],
  deepseek: [of(16, 10, 0), of(17, 9, 0)],
  openrouter: [of(10, 4), of(10, 4)],
  together: [of(36, 4, 0), of(36, 4)],
  xai: [of(41, 87, 0), of(41, 87)],
  cohere: [of(12, 19), undefined],
  scaleway: [of(10, 2), undefined],
  // The recorded number of cached tokens exceeds the maximum, so it is not a count.
  anthropic: [of(2095, 503, null, 0), of(25, 15)],
};

function tokensIn(parts: Iterable<Uint8Array>, type = json): ReportedTokens | undefined {
  const scanner = new UsageScanner(type);
  for (const part of parts) scanner.push(part);
  return scanner.tokens;
}

const tokensOf = (text: string, type = json) => tokensIn([Buffer.from(text)], type);
const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const streamOf = (...values: unknown[]) => tokensOf(values.map(data).join(''), events);

/** Expects the same tokens wherever the text is cut in two, and byte by byte. */
function expectEverywhere(text: string, type: string, tokens: ReportedTokens | undefined): void {
  const bytes = Buffer.from(text);
  const wrongCuts: number[] = [];
  for (let at = 0; at <= bytes.length; at += 1) {
    const found = tokensIn([bytes.subarray(0, at), bytes.subarray(at)], type);
    if (JSON.stringify(found) !== JSON.stringify(tokens)) wrongCuts.push(at);
  }
  expect(tokensIn([bytes], type)).toEqual(tokens);
  expect(wrongCuts).toEqual([]);
  expect(
    tokensIn(
      Array.from(bytes, (byte) => Buffer.of(byte)),
      type,
    ),
  ).toEqual(tokens);
}

test('every recorded response has its tokens in this file', () => {
  expect(Object.keys(expected).sort()).toEqual(Object.keys(recorded).sort());
});

test.each(Object.keys(recorded))('%s: the tokens of recorded responses, however they are cut', (id) => {
  const { whole, stream } = recorded[id]!;
  expectEverywhere(whole, json, expected[id]![0]);
  expectEverywhere(`\uFEFF\r\n ${whole}`, 'Application/JSON;charset=utf-8', expected[id]![0]);
  expectEverywhere(stream, events, expected[id]![1]);
  for (const lineEnd of ['\r\n', '\r', '\n']) {
    const rewritten = `\uFEFF${stream.replace(/\r\n|\r|\n/g, lineEnd)}`;
    expectEverywhere(rewritten, 'TEXT/EVENT-STREAM', expected[id]![1]);
  }
});

describe('every operation', () => {
  const tokensOfResponse = (path: string, body: unknown) => {
    const request = { method: 'POST', path, body, form: { stream: 'true' } } as unknown as ProviderRequest;
    const response = usualAnswer(request, dialectOf(path));
    return 'events' in response
      ? tokensOf(response.events.join(''), events)
      : tokensOf(JSON.stringify(response.body), response.type);
  };
  const model = 'm';
  test.each([
    ['/v1/embeddings', { model, input: ['a', 'b'] }, of(2, null)],
    ['/v1/chat/completions', { model, messages: [] }, of(3, 2)],
    [
      '/v1/chat/completions',
      { model, messages: [], stream: true, stream_options: { include_usage: true } },
      of(3, 2),
    ],
    ['/v1/chat/completions', { model, messages: [], stream: true }, undefined],
    ['/v1/completions', { model, prompt: 'a' }, of(3, 2)],
    [
      '/v1/completions',
      { model, prompt: 'a', stream: true, stream_options: { include_usage: true } },
      of(3, 2),
    ],
    ['/v1/responses', { model, input: 'a' }, of(3, 2)],
    ['/v1/responses', { model, input: 'a', stream: true }, of(3, 2)],
    ['/v1/messages', { model, messages: [] }, of(3, 2)],
    ['/v1/messages', { model, messages: [], stream: true }, of(3, 2)],
  ])('%s %j', (path, body, tokens) => {
    expect(tokensOfResponse(path, body)).toEqual(tokens);
  });

  test.each(['/v1/messages/count_tokens', '/v1/moderations', '/v1/images/generations'])(
    '%s has none without a usage object',
    (path) => {
      const request = { method: 'POST', path, body: {} } as unknown as ProviderRequest;
      const { body } = usualAnswer(request, 'openai') as { body: unknown };
      expect(tokensOf(JSON.stringify(body))).toBeUndefined();
    },
  );
});

describe('fields', () => {
  test.each([
    ['no field', {}, of(null, null)],
    ['seconds instead of tokens', { type: 'duration', seconds: 12 }, of(null, null)],
    ['an embedding', { prompt_tokens: 8, total_tokens: 8 }, of(8, null)],
    [
      'chat completions',
      { prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 5 } },
      of(9, 4, 5),
    ],
    [
      'responses',
      { input_tokens: 9, output_tokens: 4, input_tokens_details: { cached_tokens: 5 } },
      of(9, 4, 5),
    ],
    ['images', { input_tokens: 9, output_tokens: 4, input_tokens_details: { text_tokens: 9 } }, of(9, 4)],
    [
      'messages, whose three kinds of input are disjoint',
      { input_tokens: 9, cache_read_input_tokens: 100, cache_creation_input_tokens: 20, output_tokens: 4 },
      of(129, 4, 100, 20),
    ],
    [
      'messages without a cache',
      {
        input_tokens: 9,
        cache_read_input_tokens: null,
        cache_creation_input_tokens: null,
        output_tokens: 4,
      },
      of(9, 4),
    ],
    [
      'a gateway that names its total and its cache in two formats',
      {
        prompt_tokens: 129,
        cache_read_input_tokens: 100,
        cache_creation_input_tokens: 20,
        completion_tokens: 4,
      },
      of(129, 4, 100, 20),
    ],
    ['a rerank, all of whose tokens are input', { total_tokens: 56 }, of(56, null)],
    [
      "a rerank in Cohere's units",
      { api_version: { version: '2' }, billed_units: { search_units: 1 } },
      of(null, null, null, null, 1),
    ],
    [
      "a rerank in Cohere's units and tokens",
      { billed_units: { search_units: 2, input_tokens: 9 }, tokens: { input_tokens: 12, output_tokens: 0 } },
      of(12, 0, null, null, 2),
    ],
    ['a cache hit', { prompt_tokens: 9, completion_tokens: 4, prompt_cache_hit_tokens: 5 }, of(9, 4, 5)],
    [
      'cached tokens next to the totals',
      { prompt_tokens: 9, completion_tokens: 4, cached_tokens: 5 },
      of(9, 4, 5),
    ],
    [
      'reasoning inside the output, as OpenAI counts',
      {
        prompt_tokens: 32,
        completion_tokens: 103,
        total_tokens: 135,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
      of(32, 103),
    ],
    [
      'reasoning outside the output, as xAI counts',
      {
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 135,
        prompt_tokens_details: { text_tokens: 32, cached_tokens: 6 },
        completion_tokens_details: { reasoning_tokens: 94 },
      },
      of(32, 103, 6),
    ],
    [
      'reasoning outside the output of responses',
      {
        input_tokens: 32,
        output_tokens: 9,
        total_tokens: 135,
        output_tokens_details: { reasoning_tokens: 94 },
      },
      of(32, 103),
    ],
    [
      'a total that matches neither way of counting',
      {
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 134,
        completion_tokens_details: { reasoning_tokens: 94 },
      },
      of(32, 9),
    ],
    ['zero', { prompt_tokens: 0, completion_tokens: 0 }, of(0, 0)],
  ])('%s', (_name, usage, tokens) => {
    expect(tokensOf(JSON.stringify({ usage }))).toEqual(tokens);
  });

  test.each([
    '-1',
    '0.5',
    '1e400',
    '-1e400',
    '9007199254740991',
    '10000000001',
    '"7"',
    'null',
    'true',
    '[7]',
    '{"a":7}',
  ])('%s is not a count', (value) => {
    const usage = `{"prompt_tokens":${value},"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":${value}}}`;
    expect(tokensOf(`{"usage":${usage}}`)).toEqual(of(null, 1));
  });

  test('a sum above the maximum is not a count', () => {
    const [prompt_tokens, completion_tokens, reasoning_tokens] = [1, 6_000_000_000, 6_000_000_000];
    const thought = {
      prompt_tokens,
      completion_tokens,
      total_tokens: 12_000_000_001,
      completion_tokens_details: { reasoning_tokens },
    };
    expect(tokensOf(JSON.stringify({ usage: thought }))).toEqual(of(1, null));
    const usage = { input_tokens: 1, cache_read_input_tokens: 10_000_000_000, output_tokens: 1 };
    expect(tokensOf(JSON.stringify({ usage }))).toEqual(of(null, 1, 10_000_000_000));
  });
});

describe('several usage objects', () => {
  test('the last value of each count is used', () => {
    const start = {
      input_tokens: 25,
      cache_read_input_tokens: 10,
      cache_creation_input_tokens: 5,
      output_tokens: 1,
    };
    const message = { type: 'message_start', message: { content: [], usage: start } };
    expect(streamOf(message)).toEqual(of(40, 1, 10, 5));
    expect(streamOf(message, { type: 'message_delta', usage: { output_tokens: 15 } })).toEqual(
      of(40, 15, 10, 5),
    );
    const last = { input_tokens: 30, cache_read_input_tokens: 11, output_tokens: 16 };
    expect(streamOf(message, { type: 'message_delta', usage: last })).toEqual(of(46, 16, 11, 5));
  });

  test('usage in every chunk is cumulative', () => {
    const chunks = [1, 2, 3].map((completion_tokens) => ({ usage: { prompt_tokens: 7, completion_tokens } }));
    expect(streamOf(...chunks, { usage: null })).toEqual(of(7, 3));
  });

  test('reasoning outside the output is counted in a stream too', () => {
    const usage = (completion_tokens: number, reasoning_tokens: number) => ({
      prompt_tokens: 32,
      completion_tokens,
      total_tokens: 32 + completion_tokens + reasoning_tokens,
      completion_tokens_details: { reasoning_tokens },
    });
    expect(streamOf({ usage: usage(0, 94) }, { usage: usage(9, 94) })).toEqual(of(32, 103));
  });

  test('a stream that breaks off has the tokens reported by then', () => {
    const scanner = new UsageScanner(events);
    expect(scanner.tokens).toBeUndefined();
    scanner.push(
      Buffer.from('data: {"type":"message_start","message":{"usage":{"input_tokens":25,"output_tokens":1}'),
    );
    expect(scanner.tokens).toEqual(of(25, 1));
    scanner.push(Buffer.from('}}\n\ndata: {"type":"message_delta","usage":{"output_tokens":15'));
    expect(scanner.tokens).toEqual(of(25, 1));
  });
});

describe('server-sent events', () => {
  test('data on several lines is one document', () => {
    const lines =
      'event: x\r\ndata:{"usage":{"prompt_tokens":\r\n: note\r\ndata: 12\r\ndata: , "completion_tokens":3}\r\n';
    expectEverywhere(lines, events, of(12, 3));
    expect(tokensOf('data: {"usage":{"prompt_tokens":1\ndata:2}}\n\n', events)).toBeUndefined();
  });

  test('a blank line resets the scanner after invalid JSON', () => {
    expectEverywhere(
      'data: {"a":"{\\\n\ndata: [DONE\n\ndata: "\\\r\n\r\n' + data({ usage: { prompt_tokens: 5 } }),
      events,
      of(5, null),
    );
  });

  test.each([
    'event: {"usage":{"prompt_tokens":5}}',
    ': data: 1',
    'Data: 1',
    ' data: 1',
    'dat',
    'datax: 1',
    'data',
    'id: 1',
  ])('the line %j is not data', (line) => {
    const usage = '{"usage":{"prompt_tokens":6}}';
    expect(tokensOf(`${line.replace('1', usage)}\n\n`, events)).toBeUndefined();
    expect(tokensOf(`${line}\ndata: ${usage}\n\n`, events)).toEqual(of(6, null));
  });
});

describe('content types and bodies', () => {
  const body = '{"usage":{"prompt_tokens":5}}';
  test.each([
    undefined,
    '',
    'text/plain',
    'audio/mpeg',
    'application/jsonx',
    'application/octet-stream',
    'x; y=a/json',
  ])('no usage is found in the type %s', (type) => {
    const scanner = new UsageScanner(type);
    scanner.push(Buffer.from(body));
    expect(scanner.tokens).toBeUndefined();
  });

  test.each([
    `[${body}]`,
    `"${body}`,
    `x${body}`,
    `{}${body}`,
    `<p>${body}`,
    '',
    '{',
    '{"usage"',
    '{"usage":{',
  ])('no usage is found in the body %s', (text) => expect(tokensOf(text)).toBeUndefined());

  test('usage is found in a vendor type that is JSON', () => {
    expect(tokensOf(body, 'application/vnd.x+json; charset=utf-8')).toEqual(of(5, null));
  });
});

describe('the output of a model cannot claim a usage', () => {
  const usage = { prompt_tokens: 1, completion_tokens: 1, input_tokens: 1, output_tokens: 1 };
  const text = JSON.stringify({ usage, message: { usage } });
  const fakes: unknown[] = [
    { choices: [{ message: { content: text, usage, parsed: { usage } }, usage }] },
    {
      choices: [
        { delta: { content: `\n\ndata: ${text}\n\n`, tool_calls: [{ function: { arguments: text } }] } },
      ],
    },
    { content: [{ type: 'tool_use', input: { usage, message: { usage } }, usage }] },
    { type: 'content_block_start', content_block: { type: 'tool_use', input: { usage } }, delta: { usage } },
    { message: { content: [{ usage }], inner: { usage }, message: { usage }, response: { usage } } },
    { response: { output: [{ usage }], metadata: { usage }, metadata2: [{ usage }] } },
    { x_groq: { debug: { usage } }, metadata: { usage }, error: { usage }, usage_: usage, ['"usage']: usage },
    { message: [{ usage }], response: [usage, { usage }], x_groq: 'usage' },
    { usage: [usage], message: { usage: [usage] }, response: { usage: text } },
    { usage: text, text: ['usage', usage, { usage }], name: 'usage', other: usage },
    { deep: [[[{ a: { usage } }]]], 'usage\\': usage, '\\"usage': usage, 'message\\': { usage } },
  ];
  test.each(fakes.map((fake) => JSON.stringify(fake)))('%s', (fake) => {
    expectEverywhere(fake, json, undefined);
    expectEverywhere(`data: ${fake}\n\n`, events, undefined);
    const real = `${fake.slice(0, -1)},"response":{"output":[{"usage":{"input_tokens":7}}],"usage":{"input_tokens":8}}}`;
    expect(tokensOf(real)).toEqual(of(8, null));
  });
});
