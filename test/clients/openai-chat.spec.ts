import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { until } from '../support/until';
import { anthropic, chatModels, type ServedModel, tenkeyOfSpec } from './tenkey';

describe('the openai client', () => {
  const tenkey = tenkeyOfSpec();

  const clientOf = ({ tenant }: ServedModel) =>
    new OpenAI({
      apiKey: 'not-read-by-tenkey',
      baseURL: `${tenkey.origin}/v1`,
      defaultHeaders: tenkey.headers(tenant),
      maxRetries: 0,
    });

  describe.each(chatModels)('chats with $title', (served) => {
    const { model } = served;
    const messages = [{ role: 'user' as const, content: 'good morning' }];
    const tools = [
      {
        type: 'function' as const,
        function: {
          name: 'weather',
          parameters: { type: 'object', properties: { city: { type: 'string' } } },
        },
      },
    ];

    it('and gets a whole response', async () => {
      const answer = await clientOf(served).chat.completions.create({ model, messages });
      expect(answer).toMatchObject({
        object: 'chat.completion',
        choices: [{ message: { content: 'echo: good morning' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      });
      tenkey.expectSeen(served);
    });

    it('and reads the request id of the provider, in a response and in an error', async () => {
      const id = { [served === anthropic ? 'request-id' : 'x-request-id']: 'req_at_the_provider' };
      const ask = () => clientOf(served).chat.completions.create({ model, messages });
      tenkey.provider.next({ headers: id });
      expect((await ask())._request_id).toBe('req_at_the_provider');
      tenkey.provider.next({ headers: id, status: 400 });
      await expect(ask()).rejects.toMatchObject({ status: 400, requestID: 'req_at_the_provider' });
    });

    it('and gets a stream, gathered as the client does', async () => {
      const stream = clientOf(served).chat.completions.stream({
        model,
        messages,
        stream_options: { include_usage: true },
      });
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      expect(text).toBe('echo: good morning');
      const whole = await stream.finalChatCompletion();
      expect(whole.choices[0]).toMatchObject({ message: { content: text }, finish_reason: 'stop' });
      expect(whole.usage?.total_tokens).toBe(5);
      tenkey.expectSeen(served);
    });

    it('and has its tools called, to the end', async () => {
      const asked: unknown[] = [];
      const runner = clientOf(served).chat.completions.runTools({
        model,
        messages,
        tools: [
          {
            type: 'function',
            function: {
              name: 'weather',
              description: 'The weather of a city',
              parameters: { type: 'object', properties: { city: { type: 'string' } } },
              parse: JSON.parse as (text: string) => { city: string },
              function: (input: { city: string }) => {
                asked.push(input);
                return `snow in ${input.city}`;
              },
            },
          },
        ],
      });
      expect(await runner.finalContent()).toBe('echo: snow in Umeå');
      expect(asked).toEqual([{ city: 'Umeå' }]);
      expect(tenkey.provider.requests).toHaveLength(2);
      tenkey.expectSeen(served);
    });

    it('and gathers a streamed tool call', async () => {
      const stream = clientOf(served).chat.completions.stream({ model, messages, tools });
      const { choices } = await stream.finalChatCompletion();
      expect(choices[0]).toMatchObject({
        finish_reason: 'tool_calls',
        message: {
          tool_calls: [{ type: 'function', function: { name: 'weather', arguments: '{"city":"Umeå"}' } }],
        },
      });
    });

    it('and reads JSON of a schema', async () => {
      const answer = await clientOf(served).chat.completions.parse({
        model,
        messages,
        response_format: zodResponseFormat(z.object({ answer: z.string() }), 'answer'),
      });
      expect(answer.choices[0]?.message.parsed).toEqual({ answer: 'echo: good morning' });
    });

    it('and gets an error when a stream breaks off', async () => {
      tenkey.provider.next({ breakAfterChunks: 4 });
      const stream = await clientOf(served).chat.completions.create({ model, messages, stream: true });
      let text = '';
      const read = async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      };
      const fault = await read().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(fault).toBeInstanceOf(OpenAI.APIError);
      expect(fault).toMatchObject({ code: 'upstream_unavailable' });
      expect(text).toMatch(/^echo: /);
    });

    it('and ends the call at the provider when it leaves a stream', async () => {
      tenkey.provider.next({ chunkDelayMs: 300 });
      const stream = await clientOf(served).chat.completions.create({ model, messages, stream: true });
      for await (const _ of stream) break;
      await until(() => tenkey.provider.requests[0]?.aborted === true, 'the end of the call');
    });
  });
});
