import { type Operation } from '#providers';
import { madeIn, mayMakeObjects } from './made-ids';

const idsIn = (operation: Operation, json: object) =>
  mayMakeObjects(operation, Buffer.from(JSON.stringify(json)))
    ? madeIn(operation, json).ids.map(({ kind, id }) => `${kind} ${id}`)
    : [];

it.each<[Operation, object, string[]]>([
  [
    'responses',
    {
      id: 'resp_1',
      object: 'response',
      conversation: { id: 'conv_1' },
      output: [
        { type: 'message', id: 'msg_1', content: [{ annotations: [{ container_id: 'cntr_2' }] }, 'text'] },
        { type: 'code_interpreter_call', id: 'ci_1', container_id: 'cntr_1' },
        {
          type: 'shell_call',
          id: 'sh_1',
          environment: { type: 'container_reference', container_id: 'cntr_3' },
        },
      ],
      tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }],
      prompt: { id: 'pmpt_1' },
    },
    [
      'response resp_1',
      'conversation conv_1',
      'item msg_1',
      'container cntr_2',
      'item ci_1',
      'container cntr_1',
      'item sh_1',
      'container cntr_3',
    ],
  ],
  ['responses', { type: 'response.created', response: { id: 'resp_1', output: [] } }, ['response resp_1']],
  ['responses', { type: 'response.output_item.added', item: { id: 'fc_1' } }, ['item fc_1']],
  ['responses', { type: 'response.output_text.delta', item_id: 'msg_1', delta: '"id":"resp_1"' }, []],
  [
    'responses',
    { object: 'list', data: [{ id: 'msg_1' }, { id: 'ci_1', container_id: 'cntr_1' }] },
    ['listed_item msg_1', 'listed_item ci_1'],
  ],
  [
    'responses',
    {
      object: 'response',
      output: [
        { id: 'mcpl_1', tools: [{ name: 'a', input_schema: { container_id: 'cntr_1', id: 'msg_1' } }] },
        { id: 'fs_1', results: [{ attributes: { container_id: 'cntr_1' } }] },
      ],
      tools: [{ type: 'code_interpreter', container_id: 'cntr_1' }],
      metadata: { container_id: 'cntr_1' },
    },
    ['item mcpl_1', 'item fs_1'],
  ],
  ['responses', { object: 'response', id: 7, output: [{ id: '' }, null, 'id'] }, []],
  ['chat/completions', { choices: [{ message: { audio: { id: 'audio_1' } } }] }, ['audio audio_1']],
  ['chat/completions', { choices: [{ delta: { audio: { id: 'audio_1' } } }] }, ['audio audio_1']],
  ['chat/completions', { choices: [{ delta: { audio: null } }, null] }, []],
  ['messages', { type: 'message', container: { id: 'container_1' } }, ['container container_1']],
  [
    'messages',
    { type: 'message_start', message: { container: { id: 'container_1' } } },
    ['container container_1'],
  ],
  [
    'messages',
    { type: 'message_delta', delta: { container: { id: 'container_1' } } },
    ['container container_1'],
  ],
  [
    'messages',
    {
      type: 'content_block_start',
      content_block: {
        type: 'bash_code_execution_tool_result',
        content: { content: [{ type: 'bash_code_execution_output', file_id: 'file_1' }] },
      },
    },
    ['file file_1'],
  ],
  [
    'messages',
    {
      type: 'message',
      content: [
        {
          type: 'code_execution_tool_result',
          content: { content: [{ type: 'code_execution_output', file_id: 'file_1' }] },
        },
      ],
    },
    ['file file_1'],
  ],
  [
    'messages',
    {
      type: 'message',
      content: [
        { type: 'tool_use', input: { type: 'code_execution_output', file_id: 'file_1' } },
        {
          type: 'tool_use',
          input: { content: { content: [{ type: 'code_execution_output', file_id: 'file_1' }] } },
        },
      ],
    },
    [],
  ],
  ['messages', { type: 'message', content: [{ citations: [{ file_id: 'file_1' }] }] }, []],
])('finds what a response of %s makes', (operation, json, expected) => {
  expect(idsIn(operation, json)).toEqual(expected);
});

it.each([
  [
    { status: 'queued', background: true },
    { isPending: true, hasUsage: false },
  ],
  [
    { status: 'in_progress', background: true },
    { isPending: true, hasUsage: false },
  ],
  [
    { status: 'in_progress', background: false },
    { isPending: false, hasUsage: false },
  ],
  [
    { status: 'completed', background: true, usage: { input_tokens: 1 } },
    { isPending: false, hasUsage: true },
  ],
  [
    { status: 'cancelled', background: true, usage: null },
    { isPending: false, hasUsage: false },
  ],
  [
    { status: 'completed', store: false, usage: {} },
    { isPending: false, hasUsage: true, isStored: false },
  ],
])('knows the state of a response: %j', (fields, expected) => {
  const { response } = madeIn('responses', { id: 'resp_1', object: 'response', ...fields });
  expect(response).toMatchObject(expected);
});
