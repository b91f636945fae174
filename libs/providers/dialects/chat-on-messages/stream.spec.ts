import { chatOnMessages } from '.';
import { type Json, UnexpectedResponse } from '../translation';

const streamOf = (request: Json = {}) => chatOnMessages.stream({ model: 'public', request });
const event = (body: Json) => ({ event: String(body.type), data: JSON.stringify(body) });
const push = (events: Json[], request?: Json) => {
  const stream = streamOf(request);
  return events.map((body) => stream.push(event(body))).join('') + stream.end();
};
const chunksOf = (text: string) =>
  text
    .split('\n\n')
    .filter((part) => part.startsWith('data: {'))
    .map((part) => JSON.parse(part.slice(6)));
const deltasOf = (text: string) =>
  chunksOf(text).flatMap(({ choices }) => choices.map((choice: any) => choice.delta));

const start = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    content: [],
    usage: { input_tokens: 25, output_tokens: 1, service_tier: 'priority' },
  },
};
const textStart = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
const hello = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hello' } };
const stopOf = (index: number) => ({ type: 'content_block_stop', index });
const messageDelta = (stop_reason: string) => ({
  type: 'message_delta',
  delta: { stop_reason, stop_sequence: null },
  usage: { output_tokens: 15, input_tokens: null },
});
const messageStop = { type: 'message_stop' };
const text = [start, textStart, { type: 'ping' }, hello, stopOf(0), messageDelta('end_turn'), messageStop];

describe('the events of a message, translated to chunks,', () => {
  it('start with the role, finish with the reason and [DONE], and have the model that the client named', () => {
    const stream = push(text);
    expect(deltasOf(stream)).toEqual([{ role: 'assistant', content: '' }, { content: 'Hello' }, {}]);
    expect(chunksOf(stream).at(-1)).toEqual({
      id: 'msg_1',
      object: 'chat.completion.chunk',
      created: expect.any(Number),
      model: 'public',
      service_tier: 'priority',
      choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }],
    });
    expect(stream.endsWith('}\n\ndata: [DONE]\n\n')).toBe(true);
  });

  it('report the usage in a chunk without choices, but only when the client requests it', () => {
    const chunks = chunksOf(push(text, { stream_options: { include_usage: true } }));
    expect(chunks.slice(0, -1).map(({ usage }) => usage)).toEqual([null, null, null]);
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 25, completion_tokens: 15, total_tokens: 40 },
    });
    expect(push(text)).not.toContain('usage');
  });

  it('have the id and name of a tool call first, then its arguments as they arrive, or {} if there are none', () => {
    const toolStart = (index: number, id: string) => ({
      type: 'content_block_start',
      index,
      content_block: { type: 'tool_use', id, name: 'get_weather', input: {} },
    });
    const json = (index: number, partial_json: string) => ({
      type: 'content_block_delta',
      index,
      delta: { type: 'input_json_delta', partial_json },
    });
    const stream = push([
      start,
      textStart,
      hello,
      stopOf(0),
      toolStart(1, 'toolu_1'),
      json(1, ''),
      json(1, '{"city":'),
      json(1, '"Umeå"}'),
      stopOf(1),
      toolStart(2, 'toolu_2'),
      json(2, ''),
      stopOf(2),
      messageDelta('tool_use'),
      messageStop,
    ]);
    expect(deltasOf(stream).slice(2)).toEqual([
      {
        tool_calls: [
          { index: 0, id: 'toolu_1', type: 'function', function: { name: 'get_weather', arguments: '' } },
        ],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '"Umeå"}' } }] },
      {
        tool_calls: [
          { index: 1, id: 'toolu_2', type: 'function', function: { name: 'get_weather', arguments: '' } },
        ],
      },
      { tool_calls: [{ index: 1, function: { arguments: '{}' } }] },
      {},
    ]);
    expect(chunksOf(stream).at(-1).choices[0].finish_reason).toBe('tool_calls');
  });

  it('have the thinking as it arrives, and the signed block when it is complete', () => {
    const delta = (fields: Json) => ({ type: 'content_block_delta', index: 0, delta: fields });
    const stream = push([
      start,
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'thinking', thinking: '', signature: '' },
      },
      delta({ type: 'thinking_delta', thinking: 'Let me ' }),
      delta({ type: 'thinking_delta', thinking: 'see.' }),
      delta({ type: 'signature_delta', signature: 'sig' }),
      stopOf(0),
      { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'xx' } },
      stopOf(1),
      messageStop,
    ]);
    expect(deltasOf(stream).slice(1)).toEqual([
      { reasoning_content: 'Let me ' },
      { reasoning_content: 'see.' },
      { thinking_blocks: [{ index: 0, type: 'thinking', thinking: 'Let me see.', signature: 'sig' }] },
      { thinking_blocks: [{ index: 1, type: 'redacted_thinking', data: 'xx' }] },
      {},
    ]);
  });

  it('have the reason of a refusal, and ignore unknown events', () => {
    const stream = push([
      start,
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'server_tool_use', id: 's', name: 'web_search' },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"q":1}' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'citations_delta', citation: {} } },
      stopOf(0),
      { type: 'invented_later', anything: 1 },
      {
        ...messageDelta('refusal'),
        delta: { stop_reason: 'refusal', stop_details: { explanation: 'Not this.' } },
      },
      messageStop,
      { type: 'message_start', message: {} },
    ]);
    expect(deltasOf(stream).slice(1)).toEqual([{ refusal: 'Not this.' }, {}]);
    expect(chunksOf(stream).at(-1).choices[0].finish_reason).toBe('content_filter');
  });

  it('are complete with the reason for the end', () => {
    const withoutLast = text.slice(0, -1);
    // A second may begin between the two.
    const untimed = (chunks: string) => chunks.replace(/"created":\d+/g, '"created":0');
    expect(untimed(push(withoutLast))).toBe(untimed(push(text)));
  });

  it.each([[[]], [[start]], [text.slice(0, -2)]])('are unexpected when they break off', (events) =>
    expect(() => push(events as Json[])).toThrow(UnexpectedResponse),
  );

  it.each([
    [[hello]],
    [[messageStop]],
    [[messageDelta('end_turn')]],
    [[start, start]],
    [[start, hello]],
    [[start, textStart, textStart]],
    [[start, stopOf(0)]],
    [[start, { type: 'content_block_start', index: 0, content_block: { type: 'tool_use' } }]],
  ])('are unexpected in an invalid order: %j', (events) =>
    expect(() => push(events as Json[])).toThrow(UnexpectedResponse),
  );

  it.each(['', 'x', '[]', '1', 'null', '{'])('are unexpected if the data is %j', (data) =>
    expect(() => streamOf().push({ event: 'message_start', data })).toThrow(UnexpectedResponse),
  );
});
