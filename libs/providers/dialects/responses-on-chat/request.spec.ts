import { responsesOnChat } from '.';
import { type Json, UnsupportedParameter } from '../translation';

const encode = (request: Json) => {
  const { body, dropped } = responsesOnChat.encode({ model: 'public', input: 'Hi', ...request }, 'gpt');
  return { body, dropped };
};
const messages = [{ role: 'user', content: 'Hi' }];
const faultOf = (request: Json) => {
  try {
    encode(request);
  } catch (error) {
    if (error instanceof UnsupportedParameter) return [error.param, error.message];
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('a request for a response, translated to chat completions,', () => {
  it('needs only a model and input', () =>
    expect(encode({})).toEqual({ body: { model: 'gpt', messages }, dropped: [] }));

  it('keeps every parameter that has a counterpart', () => {
    const request = {
      instructions: 'Be brief.',
      max_output_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      stream: true,
      text: {
        format: {
          type: 'json_schema',
          name: 'answer',
          schema: { type: 'object' },
          strict: true,
          description: 'An answer',
        },
        verbosity: 'low',
      },
      reasoning: { effort: 'high', summary: 'auto' },
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      top_logprobs: 3,
      user: 'u',
      safety_identifier: 's',
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      service_tier: 'priority',
    };
    expect(encode(request)).toEqual({
      body: {
        model: 'gpt',
        messages: [{ role: 'system', content: 'Be brief.' }, ...messages],
        max_completion_tokens: 100,
        temperature: 0.5,
        top_p: 0.9,
        stream: true,
        stream_options: { include_usage: true },
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'answer', description: 'An answer', schema: { type: 'object' }, strict: true },
        },
        verbosity: 'low',
        reasoning_effort: 'high',
        logprobs: true,
        top_logprobs: 3,
        user: 'u',
        safety_identifier: 's',
        prompt_cache_key: 'k',
        prompt_cache_retention: '24h',
        service_tier: 'priority',
      },
      dropped: [],
    });
  });

  it('leaves out what requests the default, or changes no response, without naming it', () =>
    expect(
      encode({
        store: false,
        background: false,
        stream: false,
        stream_options: { include_obfuscation: false },
        truncation: 'disabled',
        service_tier: 'auto',
        tools: [],
        tool_choice: 'auto',
        parallel_tool_calls: true,
        include: ['reasoning.encrypted_content'],
        text: { format: { type: 'text' }, verbosity: 'medium' },
        reasoning: { summary: 'detailed' },
        metadata: { purpose: 'test' },
        max_tool_calls: 3,
        top_logprobs: 0,
        previous_response_id: null,
        conversation: null,
      }),
    ).toEqual({ body: { model: 'gpt', messages }, dropped: [] }));

  it('names what has no counterpart, even unknown parameters', () =>
    expect(
      encode({
        store: true,
        truncation: 'auto',
        include: ['file_search_call.results'],
        top_logprobs: 2,
        text: { unknown: 1 },
        reasoning: { context: 'all' },
        client_metadata: { a: 'b' },
      }),
    ).toEqual({
      body: { model: 'gpt', messages },
      dropped: [
        'store',
        'truncation',
        'client_metadata',
        'text.unknown',
        'reasoning.context',
        'include',
        'top_logprobs',
      ],
    }));

  it.each([
    ['background', true, 'Leave it out'],
    ['previous_response_id', 'resp_1', 'Send the earlier items in input instead.'],
    ['conversation', 'conv_1', 'Send the earlier items in input instead.'],
    ['prompt', { id: 'pmpt_1' }, 'Send its text in instructions and input instead.'],
  ])('is refused with %s, and the message says what to do', (name, value, instead) => {
    const [param, message] = faultOf({ [name]: value });
    expect(param).toBe(name);
    expect(message).toContain(name);
    expect(message).toContain(instead);
  });

  it.each([
    ['input', { input: 5 }],
    ['input', { input: undefined }],
    ['input', { input: [] }],
    ['instructions', { instructions: ['x'] }],
    ['max_output_tokens', { max_output_tokens: 0 }],
    ['text', { text: 'json' }],
    ['text.format.type', { text: { format: { type: 'grammar' } } }],
    ['text.format.name', { text: { format: { type: 'json_schema', schema: {} } } }],
    ['text.format.schema', { text: { format: { type: 'json_schema', name: 'n' } } }],
    ['text.verbosity', { text: { verbosity: 1 } }],
    ['reasoning.effort', { reasoning: { effort: 3 } }],
    ['include', { include: 'x' }],
    ['stream', { stream: 'yes' }],
    ['parallel_tool_calls', { parallel_tool_calls: 1, tools: [{ type: 'function', name: 'f' }] }],
  ])('is refused when %s is invalid: %j', (param, request) => expect(faultOf(request)[0]).toBe(param));

  it('may request JSON without a schema', () =>
    expect(encode({ text: { format: { type: 'json_object' } } }).body.response_format).toEqual({
      type: 'json_object',
    }));
});
