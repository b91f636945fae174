import { chatOnMessages } from '.';
import { type Json } from '../translation';

const messages = [{ role: 'user', content: 'Hi' }];
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const tools = [weather];
const encode = (request: Json, model = 'claude-sonnet-4-5') =>
  chatOnMessages.encode({ model: 'public', messages, ...request }, model);
describe('reasoning_effort', () => {
  const adaptive = (effort: string) => ({ thinking: { type: 'adaptive' }, output_config: { effort } });
  const budget = (tokens: number) => ({ thinking: { type: 'enabled', budget_tokens: tokens } });
  it.each([
    ['claude-opus-4-6', { reasoning_effort: 'minimal' }, adaptive('low'), []],
    ['claude-opus-4-6', { reasoning_effort: 'max' }, adaptive('max'), []],
    ['claude-opus-4-6', { reasoning_effort: 'xhigh' }, adaptive('high'), ['reasoning_effort']],
    ['claude-opus-4-7', { reasoning_effort: 'xhigh' }, adaptive('xhigh'), []],
    ['claude-sonnet-4-5', { reasoning_effort: 'low' }, budget(1024), []],
    ['claude-sonnet-4-5', { reasoning_effort: 'high' }, budget(12_288), []],
    ['claude-sonnet-4-5', { reasoning_effort: 'high', max_tokens: 2000 }, budget(1600), []],
    ['claude-sonnet-4-5', { reasoning_effort: 'low', max_tokens: 1200 }, {}, ['reasoning_effort']],
    ['claude-3-5-haiku-20241022', { reasoning_effort: 'low' }, {}, ['reasoning_effort']],
    ['claude-opus-4-6', { reasoning_effort: 'none' }, {}, []],
    ['claude-sonnet-5', { reasoning_effort: 'none' }, { thinking: { type: 'disabled' } }, []],
    ['claude-fable-5-1', { reasoning_effort: 'none' }, {}, ['reasoning_effort']],
    ['claude-opus-5-5', { reasoning_effort: 'none' }, {}, ['reasoning_effort']],
    ['claude-opus-4-6', { reasoning_effort: 'low', temperature: 0 }, adaptive('low'), ['temperature']],
    [
      'claude-opus-4-6',
      { reasoning_effort: 'low', tools, tool_choice: 'required' },
      {},
      ['reasoning_effort'],
    ],
    ['claude-sonnet-4-5', { thinking: { type: 'enabled', budget_tokens: 2000 } }, budget(2000), []],
    [
      'claude-sonnet-4-5',
      { thinking: { type: 'enabled', budget_tokens: 2000 }, reasoning_effort: 'low', top_p: 0.5, top_k: 1 },
      budget(2000),
      ['reasoning_effort', 'top_p', 'top_k'],
    ],
    [
      'claude-sonnet-4-5',
      { thinking: { type: 'disabled' }, top_k: 1 },
      { thinking: { type: 'disabled' }, top_k: 1 },
      [],
    ],
  ])('for %s: %j becomes %j, and %j is dropped', (model, request, expected, dropped) => {
    const { body, dropped: droppedNames } = encode(request, model);
    const { thinking, output_config, temperature, top_p, top_k } = body;
    expect({ thinking, output_config, temperature, top_p, top_k }).toEqual(expected);
    expect(droppedNames).toEqual(dropped);
  });

  it('is dropped for a model with a budget when a continued turn lacks its thinking', () => {
    const call = { id: 'c', type: 'function', function: { name: 'get_weather', arguments: '{}' } };
    const thinking_blocks = [{ type: 'thinking', thinking: 'hm', signature: 's' }];
    const turn = (fields: Json) => [
      ...messages,
      { role: 'assistant', content: null, tool_calls: [call], ...fields },
      { role: 'tool', tool_call_id: 'c', content: '3 °C' },
    ];
    const request = { reasoning_effort: 'low', tools };
    expect(encode({ ...request, messages: turn({ thinking_blocks }) })).toMatchObject({
      body: budget(1024),
      dropped: [],
    });
    const without = encode({ ...request, messages: turn({}) });
    expect([without.body.thinking, without.dropped]).toEqual([undefined, ['reasoning_effort']]);
    expect(encode({ ...request, messages: turn({}) }, 'claude-opus-4-6').body).toMatchObject(adaptive('low'));
  });
});
