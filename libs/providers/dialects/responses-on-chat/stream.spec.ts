import { responsesOnChat } from '.';
import { eventsIn, gatheredResponse } from '../../../../test/support/streamed-answers';
import { type Json, UnexpectedResponse } from '../translation';

const translation = responsesOnChat;
const contextWith = (tools: Json[] = []) => ({
  model: 'public',
  request: translation.encode({ input: 'Hi', tools }, 'upstream').forResponse,
});
const push = (chunks: (Json | string)[], tools?: Json[]) => {
  const stream = translation.stream(contextWith(tools));
  const parts = chunks.map((chunk) =>
    stream.push({ data: typeof chunk === 'string' ? chunk : JSON.stringify(chunk) }),
  );
  return eventsIn(parts.join('') + stream.end());
};
const bodiesOf = (events: { data: string }[]): any[] => events.map(({ data }) => JSON.parse(data));
const delta = (fields: Json, finish_reason: string | null = null, logprobs: unknown = null) => ({
  id: 'chatcmpl-1',
  created: 1_700_000_000,
  choices: [{ index: 0, delta: fields, finish_reason, logprobs }],
});
const tool = (index: number | undefined, fields: Json) => delta({ tool_calls: [{ index, ...fields }] });
const named = (index: number | undefined, id: string, name: string, text = '') =>
  tool(index, { id, type: 'function', function: { name, arguments: text } });
const more = (index: number | undefined, text: string) => tool(index, { function: { arguments: text } });
const usage = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };
const start = delta({ role: 'assistant', content: '' });
const end = [delta({}, 'stop'), { choices: [], usage }, '[DONE]'];

describe('the chunks of a chat, translated to events of a response,', () => {
  it('are the documented events in the documented order', () => {
    const events = bodiesOf(
      push([
        start,
        delta({ reasoning_content: 'Hm' }),
        delta({ content: 'Hel' }),
        delta({ content: 'lo' }),
        named(0, 'call_1', 'weather'),
        more(0, '{"city":'),
        more(0, '"Umeå"}'),
        ...end,
      ]),
    );
    expect(
      events.map(({ type, sequence_number: _, response: __, item: ___, ...fields }) => [type, fields]),
    ).toEqual([
      ['response.created', {}],
      ['response.in_progress', {}],
      ['response.output_item.added', { output_index: 0 }],
      [
        'response.reasoning_summary_part.added',
        { item_id: 'rs_1_0', output_index: 0, summary_index: 0, part: { type: 'summary_text', text: '' } },
      ],
      [
        'response.reasoning_summary_text.delta',
        { item_id: 'rs_1_0', output_index: 0, summary_index: 0, delta: 'Hm' },
      ],
      [
        'response.reasoning_summary_text.done',
        { item_id: 'rs_1_0', output_index: 0, summary_index: 0, text: 'Hm' },
      ],
      [
        'response.reasoning_summary_part.done',
        { item_id: 'rs_1_0', output_index: 0, summary_index: 0, part: { type: 'summary_text', text: 'Hm' } },
      ],
      ['response.output_item.done', { output_index: 0 }],
      ['response.output_item.added', { output_index: 1 }],
      [
        'response.content_part.added',
        {
          item_id: 'msg_1_1',
          output_index: 1,
          content_index: 0,
          part: { type: 'output_text', text: '', annotations: [], logprobs: [] },
        },
      ],
      [
        'response.output_text.delta',
        { item_id: 'msg_1_1', output_index: 1, content_index: 0, delta: 'Hel', logprobs: [] },
      ],
      [
        'response.output_text.delta',
        { item_id: 'msg_1_1', output_index: 1, content_index: 0, delta: 'lo', logprobs: [] },
      ],
      [
        'response.output_text.done',
        { item_id: 'msg_1_1', output_index: 1, content_index: 0, text: 'Hello', logprobs: [] },
      ],
      [
        'response.content_part.done',
        {
          item_id: 'msg_1_1',
          output_index: 1,
          content_index: 0,
          part: { type: 'output_text', text: 'Hello', annotations: [], logprobs: [] },
        },
      ],
      ['response.output_item.done', { output_index: 1 }],
      ['response.output_item.added', { output_index: 2 }],
      ['response.function_call_arguments.delta', { item_id: 'fc_1_2', output_index: 2, delta: '{"city":' }],
      ['response.function_call_arguments.delta', { item_id: 'fc_1_2', output_index: 2, delta: '"Umeå"}' }],
      [
        'response.function_call_arguments.done',
        { item_id: 'fc_1_2', output_index: 2, name: 'weather', arguments: '{"city":"Umeå"}' },
      ],
      ['response.output_item.done', { output_index: 2 }],
      ['response.completed', {}],
    ]);
  });

  it('have sequence numbers, statuses and the usage', () => {
    const events = push([start, delta({ content: 'Hello' }), ...end]);
    expect(gatheredResponse(events)).toMatchObject({
      id: 'resp_1',
      object: 'response',
      created_at: 1_700_000_000,
      model: 'public',
      status: 'completed',
      error: null,
      incomplete_details: null,
      store: false,
      output: [{ id: 'msg_1_0', type: 'message', status: 'completed', role: 'assistant' }],
      usage: { input_tokens: 20, output_tokens: 5, total_tokens: 25 },
    });
    const added = bodiesOf(events).find(({ type }) => type === 'response.output_item.added');
    expect(added.item).toEqual({
      id: 'msg_1_0',
      type: 'message',
      status: 'in_progress',
      role: 'assistant',
      content: [],
    });
  });

  it('are incomplete when the limit or a filter cut them off, and so is the last item', () => {
    for (const [reason, details] of [
      ['length', 'max_output_tokens'],
      ['model_length', 'max_output_tokens'],
      ['content_filter', 'content_filter'],
    ] as const) {
      const events = push([start, delta({ content: 'Hel' }), delta({}, reason), '[DONE]']);
      expect(events.at(-1)!.event).toBe('response.incomplete');
      expect(gatheredResponse(events)).toMatchObject({
        status: 'incomplete',
        incomplete_details: { reason: details },
        output: [{ status: 'incomplete', content: [{ text: 'Hel' }] }],
        usage: null,
      });
    }
    const cut = push([named(0, 'a', 'f', '{}'), named(1, 'b', 'g', '{"a":'), delta({}, 'length')]);
    expect(gatheredResponse(cut).output).toMatchObject([
      { call_id: 'a', status: 'completed', arguments: '{}' },
      { call_id: 'b', status: 'incomplete', arguments: '{"a":' },
    ]);
  });

  it('have a refusal as a separate part', () => {
    const events = push([
      start,
      delta({ content: 'Well' }),
      delta({ refusal: 'No' }),
      delta({ refusal: '.' }),
      ...end,
    ]);
    expect(gatheredResponse(events).output[0].content).toEqual([
      { type: 'output_text', text: 'Well', annotations: [], logprobs: [] },
      { type: 'refusal', refusal: 'No.' },
    ]);
  });

  it('have the log probabilities with each delta and with the text', () => {
    const entry = (token: string) => ({ token, logprob: -0.5, bytes: [1], top_logprobs: [] });
    const events = push([
      delta({ content: 'a' }, null, { content: [entry('a')] }),
      delta({ content: 'b' }, null, { content: [entry('b')] }),
      ...end,
    ]);
    const deltas = bodiesOf(events).filter(({ type }) => type === 'response.output_text.delta');
    expect(deltas.map(({ logprobs }) => logprobs)).toEqual([[entry('a')], [entry('b')]]);
    expect(gatheredResponse(events).output[0].content[0].logprobs).toEqual([entry('a'), entry('b')]);
  });

  it.each([
    ['one after the other', [named(0, 'a', 'f'), more(0, '{"x":1}'), named(1, 'b', 'g'), more(1, '{}')]],
    [
      'by turns',
      [named(0, 'a', 'f'), named(1, 'b', 'g'), more(0, '{"x"'), more(1, '{'), more(0, ':1}'), more(1, '}')],
    ],
    ['without an index', [named(undefined, 'a', 'f', '{"x":1}'), named(undefined, 'b', 'g', '{}')]],
    ['with the same index', [named(0, 'a', 'f', '{"x":1}'), named(0, 'b', 'g', '{}')]],
    ['whose names repeat', [named(0, 'a', 'f', '{"x"'), named(0, 'a', 'f', ':1}'), named(1, 'b', 'g', '{}')]],
    [
      'with the id and the name apart',
      [tool(0, { id: 'a' }), named(0, '', 'f', '{"x":1}'), named(1, 'b', 'g', '{}')],
    ],
  ])('have two calls %s', (_, chunks) => {
    expect(
      gatheredResponse(push([start, ...chunks, delta({}, 'tool_calls'), '[DONE]'])).output,
    ).toMatchObject([
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{"x":1}', status: 'completed' },
      { type: 'function_call', call_id: 'b', name: 'g', arguments: '{}', status: 'completed' },
    ]);
  });

  it.each([
    ['two chunks', [named(0, 'a', 'get_'), tool(0, { function: { name: 'weather' } }), more(0, '{}')]],
    ['one, before a call without arguments', [named(0, 'a', 'get_weather')]],
    [
      'one, after the arguments',
      [tool(0, { id: 'a', function: { arguments: '{}' } }), named(0, '', 'get_weather')],
    ],
  ])('have the name of a tool that arrives in %s', (_, chunks) =>
    expect(gatheredResponse(push([start, ...chunks, delta({}, 'tool_calls')])).output).toMatchObject([
      { call_id: 'a', name: 'get_weather', arguments: '{}' },
    ]),
  );

  it('keep the id with which a call began', () => {
    const late = [
      tool(0, { function: { name: 'f', arguments: '{' } }),
      tool(0, { id: 'a', function: { arguments: '}' } }),
    ];
    const events = push([start, ...late, delta({}, 'tool_calls')]);
    const ids = bodiesOf(events).flatMap(({ item }) => (item === undefined ? [] : [item.call_id]));
    expect(ids).toEqual(['call_1_0', 'call_1_0']);
  });

  it('close a call when the next item begins', () => {
    const types = bodiesOf(
      push([named(0, 'a', 'f', '{}'), named(1, 'b', 'g', '{}'), delta({ content: 'then' }), ...end]),
    )
      .filter(({ type }) => /output_item/.test(type))
      .map(({ type, output_index }) => `${type.slice('response.output_item.'.length)} ${output_index}`);
    expect(types).toEqual(['added 0', 'done 0', 'added 1', 'done 1', 'added 2', 'done 2']);
  });

  it('have the input of a custom tool once its arguments are complete', () => {
    const events = push(
      [named(0, 'a', 'apply_patch'), more(0, '{"inp'), more(0, 'ut":"*** Begin\\n"}'), ...end],
      [{ type: 'custom', name: 'apply_patch' }],
    );
    expect(gatheredResponse(events).output).toEqual([
      {
        type: 'custom_tool_call',
        id: 'fc_1_0',
        status: 'completed',
        call_id: 'a',
        name: 'apply_patch',
        input: '*** Begin\n',
      },
    ]);
    const raw = push(
      [named(0, 'a', 'apply_patch', '*** Begin'), ...end],
      [{ type: 'custom', name: 'apply_patch' }],
    );
    expect(gatheredResponse(raw).output[0].input).toBe('*** Begin');
  });

  it('have the namespace of a tool next to its name', () => {
    const tools = [
      { type: 'namespace', name: 'mcp__maps__', tools: [{ type: 'function', name: 'find', parameters: {} }] },
    ];
    const events = push([named(0, 'a', 'mcp__maps__find', '{}'), named(1, 'b', 'find', '{}'), ...end], tools);
    expect(gatheredResponse(events).output).toMatchObject([
      { type: 'function_call', name: 'find', namespace: 'mcp__maps__' },
      { type: 'function_call', name: 'find' },
    ]);
    const done = bodiesOf(events).filter(({ type }) => type === 'response.function_call_arguments.done');
    expect(done.map(({ name }) => name)).toEqual(['find', 'find']);
  });

  it('have an empty message when the model wrote nothing, so that agents know that the turn is complete', () => {
    for (const chunks of [[start], [delta({ reasoning_content: 'Hm' })]]) {
      expect(gatheredResponse(push([...chunks, ...end])).output.at(-1)).toMatchObject({
        type: 'message',
        content: [{ type: 'output_text', text: '' }],
      });
    }
    expect(
      gatheredResponse(push([delta({ reasoning_content: 'Hm' }), delta({}, 'length')])).output,
    ).toHaveLength(1);
  });

  it('read reasoning under any of its names', () => {
    for (const fields of [
      { reasoning_content: 'Hm' },
      { reasoning: 'Hm' },
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] },
    ]) {
      expect(gatheredResponse(push([delta(fields), ...end])).output[0]).toEqual({
        id: 'rs_1_0',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'Hm' }],
        encrypted_content: 'text',
      });
    }
  });

  it('end with the last chunk that is needed', () => {
    expect(gatheredResponse(push([delta({ content: 'Hi' }), delta({}, 'stop')])).status).toBe('completed');
    expect(
      gatheredResponse(push([delta({ content: 'Hi' }), '[DONE]', delta({ content: 'no' })])).output,
    ).toHaveLength(1);
  });

  it.each([
    ['no choice', ['[DONE]']],
    ['no end', [delta({ content: 'Hel' })]],
    ['data that is not JSON', [start, '<html>']],
    ['a call without a name', [tool(0, { id: 'a', function: { arguments: '{}' } }), ...end]],
    ['the finish reason error', [start, delta({}, 'error'), '[DONE]']],
    [
      'more open calls than any model makes',
      [...Array.from({ length: 200 }, (_, index) => named(index, `c${index}`, 'f', '{')), ...end],
    ],
  ])('cannot be understood with %s', (_, chunks) =>
    expect(() => push(chunks as Json[])).toThrow(UnexpectedResponse),
  );
});
