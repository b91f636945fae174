import Anthropic from '@anthropic-ai/sdk';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { streamText } from 'ai';
import OpenAI from 'openai';
import { chunksOfChat, eventsOfMessage } from '../support/streamed-answers';
import { anthropic, openai, tenkeyOfSpec } from './tenkey';

const sizes = [3, 5, 1];

/** Thinking, text, and calls of two tools, one of them without arguments. */
const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [
    { type: 'thinking', thinking: 'Two cities, then.', signature: 'c2lnbmF0dXJl' },
    { type: 'text', text: 'Let me look at Umeå.' },
    { type: 'tool_use', id: 'toolu_1', name: 'now', input: {} },
    { type: 'tool_use', id: 'toolu_2', name: 'weather', input: { city: 'Umeå' } },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: { input_tokens: 3, cache_read_input_tokens: 4, output_tokens: 9 },
};

const completion = {
  id: 'chatcmpl-1',
  model: 'gpt-4o',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        reasoning_content: 'Two cities, then.',
        content: 'Let me look at Umeå.',
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'now', arguments: '{}' } },
          { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '{"city":"Umeå"}' } },
        ],
      },
      finish_reason: 'tool_calls',
    },
  ],
  usage: {
    prompt_tokens: 7,
    completion_tokens: 9,
    total_tokens: 16,
    prompt_tokens_details: { cached_tokens: 4 },
  },
};

describe('a translated response with thinking, text and two tools, in small pieces', () => {
  const tenkey = tenkeyOfSpec();

  const written = (events: { event?: string; data: string }[]) =>
    events.map(({ event, data }) => `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`);
  const question = [{ role: 'user' as const, content: 'How is the weather?' }];

  it("of Anthropic's is gathered by the openai client", async () => {
    tenkey.provider.next({ chunks: written(eventsOfMessage(message, sizes)) });
    const client = new OpenAI({
      apiKey: 'not-read-by-tenkey',
      baseURL: `${tenkey.origin}/v1`,
      defaultHeaders: tenkey.headers(),
    });
    const stream = client.chat.completions.stream({
      model: anthropic.model,
      messages: question,
      stream_options: { include_usage: true },
    });
    let thoughts = '';
    for await (const { choices } of stream)
      thoughts += (choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? '';
    expect(thoughts).toBe('Two cities, then.');
    const { choices, usage } = await stream.finalChatCompletion();
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Let me look at Umeå.',
        tool_calls: [
          { id: 'toolu_1', function: { name: 'now', arguments: '{}' } },
          { id: 'toolu_2', function: { name: 'weather', arguments: '{"city":"Umeå"}' } },
        ],
      },
    });
    expect(usage).toMatchObject({
      prompt_tokens: 7,
      completion_tokens: 9,
      prompt_tokens_details: { cached_tokens: 4 },
    });
  });

  it("of Anthropic's is gathered by the AI SDK, thinking as reasoning", async () => {
    tenkey.provider.next({ chunks: written(eventsOfMessage(message, sizes)) });
    const provider = createOpenAICompatible({
      name: 'tenkey',
      baseURL: `${tenkey.origin}/v1`,
      headers: tenkey.headers(),
      includeUsage: true,
    });
    const answer = streamText({ model: provider.chatModel(anthropic.model), messages: question });
    expect(await answer.reasoningText).toBe('Two cities, then.');
    expect(await answer.text).toBe('Let me look at Umeå.');
    expect(await answer.toolCalls).toMatchObject([
      { toolCallId: 'toolu_1', toolName: 'now', input: {} },
      { toolCallId: 'toolu_2', toolName: 'weather', input: { city: 'Umeå' } },
    ]);
    expect(await answer.finishReason).toBe('tool-calls');
    expect(await answer.usage).toMatchObject({ inputTokens: 7, cachedInputTokens: 4, outputTokens: 9 });
  });

  it.each([false, true])(
    "of OpenAI's is gathered by Anthropic's client (calls by turns: %s)",
    async (byTurns) => {
      tenkey.provider.next({ chunks: written(chunksOfChat(completion, sizes, byTurns)) });
      const client = new Anthropic({
        apiKey: 'not-read-by-tenkey',
        baseURL: tenkey.origin,
        defaultHeaders: tenkey.headers(),
      });
      const stream = client.messages.stream({ model: openai.model, max_tokens: 100, messages: question });
      expect(await stream.finalMessage()).toMatchObject({
        content: [
          { type: 'thinking', thinking: 'Two cities, then.' },
          { type: 'text', text: 'Let me look at Umeå.' },
          { type: 'tool_use', id: 'call_1', name: 'now', input: {} },
          { type: 'tool_use', id: 'call_2', name: 'weather', input: { city: 'Umeå' } },
        ],
        stop_reason: 'tool_use',
        usage: { input_tokens: 3, cache_read_input_tokens: 4, output_tokens: 9 },
      });
    },
  );
});
