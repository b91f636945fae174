import { createOpenAI, type OpenAIResponsesProviderOptions } from '@ai-sdk/openai';
import { APICallError, generateObject, generateText, stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { chunksOfChat, eventsOfMessage } from '../support/streamed-answers';
import { anthropic, mistral, tenkeyOfSpec } from './tenkey';

const input = 'good morning';
const sizes = [3, 5, 1];
const written = (events: { event?: string; data: string }[]) =>
  events.map(({ event, data }) => `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`);

/** Thinking, text and a call, as the two kinds of providers stream them. */
const thoughtful = {
  [anthropic.model]: written(
    eventsOfMessage(
      {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5',
        content: [
          { type: 'thinking', thinking: 'Umeå, then.', signature: 'c2lnbmF0dXJl' },
          { type: 'text', text: 'Let me look.' },
          { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Umeå' } },
        ],
        stop_reason: 'tool_use',
        stop_sequence: null,
        usage: { input_tokens: 3, cache_read_input_tokens: 4, output_tokens: 9 },
      },
      sizes,
    ),
  ),
  [mistral.model]: written(
    chunksOfChat(
      {
        id: 'chatcmpl-1',
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              reasoning_content: 'Umeå, then.',
              content: 'Let me look.',
              tool_calls: [
                {
                  id: 'call_1',
                  type: 'function',
                  function: { name: 'weather', arguments: '{"city":"Umeå"}' },
                },
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
      },
      sizes,
      false,
    ),
  ),
};

describe.each([mistral, anthropic])('a response of $title, which has only another API,', (served) => {
  const tenkey = tenkeyOfSpec();
  const { model } = served;

  describe('with the openai client', () => {
    const client = () =>
      new OpenAI({
        apiKey: 'not-read-by-tenkey',
        baseURL: `${tenkey.origin}/v1`,
        defaultHeaders: tenkey.headers(),
      });
    const weather = { name: 'weather', parameters: z.object({ city: z.string() }) };

    it('is whole', async () => {
      const answer = await client().responses.create({ model, input, instructions: 'Be brief.' });
      expect(answer.output_text).toBe('echo: good morning');
      expect(answer.usage).toMatchObject({ input_tokens: 3, output_tokens: 2, total_tokens: 5 });
      tenkey.expectSeen(served);
    });

    it('is streamed, in events that the client can follow', async () => {
      const stream = client().responses.stream({ model, input });
      let text = '';
      stream.on('response.output_text.delta', ({ delta }) => (text += delta));
      const final = await stream.finalResponse();
      expect([text, final.output_text, final.status]).toEqual([
        'echo: good morning',
        'echo: good morning',
        'completed',
      ]);
    });

    it('is an object of a schema', async () => {
      const format = zodTextFormat(z.object({ answer: z.string() }), 'answer');
      const answer = await client().responses.parse({ model, input, text: { format } });
      expect(answer.output_parsed).toEqual({ answer: 'echo: good morning' });
    });

    it('calls a function, and goes on with its result', async () => {
      const tools = [zodResponsesFunction(weather)];
      const question = { role: 'user' as const, content: input };
      const first = await client().responses.parse({ model, input: [question], tools });
      const call = first.output.find((item) => item.type === 'function_call');
      expect(call).toMatchObject({ name: 'weather', parsed_arguments: { city: 'Umeå' } });
      const result = { type: 'function_call_output' as const, call_id: call!.call_id, output: 'snow' };
      const items = first.output as OpenAI.Responses.ResponseInputItem[];
      const second = await client().responses.create({ model, input: [question, ...items, result], tools });
      expect(second.output_text).toBe('echo: snow');
    });

    it('is gathered from thinking, text and a call in small pieces', async () => {
      tenkey.provider.next({ chunks: thoughtful[model] });
      const { output, usage } = await client().responses.stream({ model, input }).finalResponse();
      expect(output).toMatchObject([
        { type: 'reasoning', summary: [{ text: 'Umeå, then.' }] },
        { type: 'message', content: [{ type: 'output_text', text: 'Let me look.' }] },
        { type: 'function_call', name: 'weather', arguments: '{"city":"Umeå"}' },
      ]);
      expect(usage).toMatchObject({
        input_tokens: 7,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 9,
      });
    });

    it('is an error when the stream breaks off', async () => {
      tenkey.provider.next({ breakAfterChunks: 4 });
      const stream = await client().responses.create({ model, input, stream: true });
      const types: string[] = [];
      const read = async () => {
        for await (const event of stream) types.push(event.type);
      };
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
      expect(types).toContain('response.output_text.delta');
    });

    it('is refused when it would need an earlier one', async () => {
      const request = client().responses.create({ model, input, previous_response_id: 'resp_1' });
      await expect(request).rejects.toMatchObject({
        status: 400,
        code: 'parameter_not_supported',
        param: 'previous_response_id',
      });
      expect(tenkey.provider.requests).toEqual([]);
    });
  });

  describe('with the default model of the AI SDK', () => {
    const modelOfSdk = () =>
      createOpenAI({ apiKey: 'not-read', baseURL: `${tenkey.origin}/v1`, headers: tenkey.headers() })(model);
    const openai: OpenAIResponsesProviderOptions = { store: false };
    const toolsFor = (asked: unknown[]) => ({
      weather: tool({
        description: 'The weather of a city',
        inputSchema: z.object({ city: z.string() }),
        execute: (given) => {
          asked.push(given);
          return `snow in ${given.city}`;
        },
      }),
    });

    it('is whole', async () => {
      const answer = await generateText({ model: modelOfSdk(), system: 'Be brief.', prompt: input });
      expect([answer.text, answer.finishReason]).toEqual(['echo: good morning', 'stop']);
      expect(answer.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
      tenkey.expectSeen(served);
    });

    it('is streamed', async () => {
      const answer = streamText({ model: modelOfSdk(), prompt: input });
      let text = '';
      for await (const part of answer.textStream) text += part;
      expect(text).toBe('echo: good morning');
      expect(await answer.finishReason).toBe('stop');
      expect(await answer.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
    });

    it('is an object of a schema', async () => {
      const schema = z.object({ answer: z.string() });
      const { object } = await generateObject({ model: modelOfSdk(), prompt: input, schema });
      expect(object).toEqual({ answer: 'echo: good morning' });
    });

    it('calls tools, to the end, whole and streamed', async () => {
      const asked: unknown[] = [];
      const request = { prompt: input, tools: toolsFor(asked), stopWhen: stepCountIs(3) };
      const whole = await generateText({ ...request, model: modelOfSdk() });
      const streamed = streamText({ ...request, model: modelOfSdk() });
      expect([whole.text, await streamed.text]).toEqual(['echo: snow in Umeå', 'echo: snow in Umeå']);
      expect(asked).toEqual([{ city: 'Umeå' }, { city: 'Umeå' }]);
    });

    it('gives reasoning back with the result of a tool, when nothing is stored', async () => {
      tenkey.provider.next({ chunks: thoughtful[model] });
      const answer = streamText({
        model: modelOfSdk(),
        prompt: input,
        tools: toolsFor([]),
        stopWhen: stepCountIs(3),
        providerOptions: { openai },
      });
      expect(await answer.text).toBe('echo: snow in Umeå');
      const [first] = await answer.steps;
      expect(first).toMatchObject({
        reasoningText: 'Umeå, then.',
        text: 'Let me look.',
        finishReason: 'tool-calls',
        usage: { inputTokens: 7, cachedInputTokens: 4, outputTokens: 9 },
      });
      const { messages } = tenkey.provider.requests.at(-1)?.body as { messages: { role: string }[] };
      const turn = messages.find(({ role }) => role === 'assistant');
      expect(turn).toMatchObject(
        served === anthropic
          ? {
              content: [
                { type: 'thinking', thinking: 'Umeå, then.', signature: 'c2lnbmF0dXJl' },
                { type: 'text', text: 'Let me look.' },
                { type: 'tool_use', name: 'weather' },
              ],
            }
          : { content: 'Let me look.', tool_calls: [{ function: { name: 'weather' } }] },
      );
    });

    it('is refused with what to do when the client refers to what was not stored', async () => {
      tenkey.provider.next({ chunks: thoughtful[model] });
      const faults: unknown[] = [];
      const answer = streamText({
        model: modelOfSdk(),
        prompt: input,
        tools: toolsFor([]),
        stopWhen: stepCountIs(3),
        maxRetries: 0,
        onError: ({ error }) => void faults.push(error),
      });
      await answer.consumeStream();
      expect(faults).toHaveLength(1);
      expect(APICallError.isInstance(faults[0])).toBe(true);
      expect((faults[0] as Error).message).toMatch(/item_reference.*store: false/);
    });

    it('is an error when the stream breaks off', async () => {
      tenkey.provider.next({ breakAfterChunks: 4 });
      let text = '';
      const faults: unknown[] = [];
      const answer = streamText({ model: modelOfSdk(), prompt: input, onError: () => undefined });
      for await (const part of answer.fullStream) {
        if (part.type === 'text-delta') text += part.text;
        if (part.type === 'error') faults.push(part.error);
      }
      expect(text).toMatch(/^echo: /);
      expect(faults).toHaveLength(1);
    });
  });
});
