import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embedMany, generateObject, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { vector } from '../support/provider-answers';
import { until } from '../support/until';
import { chatModels, openai, type ServedModel, tenkeyOfSpec } from './tenkey';

describe('the AI SDK', () => {
  const tenkey = tenkeyOfSpec();

  const providerFor = (headers: Record<string, string>) =>
    createOpenAICompatible({
      name: 'tenkey',
      baseURL: `${tenkey.origin}/v1`,
      headers,
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
  const modelOf = ({ model, tenant }: ServedModel) => providerFor(tenkey.headers(tenant)).chatModel(model);
  const prompt = 'good morning';

  describe.each(chatModels)('asks $title', (served) => {
    const weatherOf = (asked: unknown[]) => ({
      weather: tool({
        description: 'The weather of a city',
        inputSchema: z.object({ city: z.string() }),
        execute: (input) => {
          asked.push(input);
          return `snow in ${input.city}`;
        },
      }),
    });

    it('and gets a whole response', async () => {
      const answer = await generateText({ model: modelOf(served), system: 'Be brief.', prompt });
      expect(answer.text).toBe('echo: good morning');
      expect(answer.finishReason).toBe('stop');
      expect(answer.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
      tenkey.expectSeen(served);
    });

    it('and gets a stream', async () => {
      const answer = streamText({ model: modelOf(served), prompt });
      let text = '';
      for await (const part of answer.textStream) text += part;
      expect(text).toBe('echo: good morning');
      expect(await answer.finishReason).toBe('stop');
      expect(await answer.usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
      tenkey.expectSeen(served);
    });

    it('and has its tools called, to the end', async () => {
      const asked: unknown[] = [];
      const answer = await generateText({
        model: modelOf(served),
        prompt,
        tools: weatherOf(asked),
        stopWhen: stepCountIs(3),
      });
      expect(asked).toEqual([{ city: 'Umeå' }]);
      expect(answer.text).toBe('echo: snow in Umeå');
    });

    it('and has its tools called while it streams', async () => {
      const asked: unknown[] = [];
      const answer = streamText({
        model: modelOf(served),
        prompt,
        tools: weatherOf(asked),
        stopWhen: stepCountIs(3),
      });
      expect(await answer.text).toBe('echo: snow in Umeå');
      expect(asked).toEqual([{ city: 'Umeå' }]);
    });

    it('and reads an object of a schema', async () => {
      const schema = z.object({ answer: z.string() });
      const { object } = await generateObject({ model: modelOf(served), prompt, schema });
      expect(object).toEqual({ answer: 'echo: good morning' });
    });

    it('and gets an error when a stream breaks off', async () => {
      tenkey.provider.next({ breakAfterChunks: 4 });
      let text = '';
      const faults: unknown[] = [];
      const answer = streamText({ model: modelOf(served), prompt, onError: () => undefined });
      for await (const part of answer.fullStream) {
        if (part.type === 'text-delta') text += part.text;
        if (part.type === 'error') faults.push(part.error);
      }
      expect(text).toMatch(/^echo: /);
      expect(faults).toMatchObject([{ code: 'upstream_unavailable' }]);
    });

    it('and ends the call at the provider when it leaves a stream', async () => {
      tenkey.provider.next({ chunkDelayMs: 300 });
      const leaving = new AbortController();
      const answer = streamText({ model: modelOf(served), prompt, abortSignal: leaving.signal });
      for await (const { type } of answer.fullStream) if (type === 'text-start') leaving.abort();
      await until(() => tenkey.provider.requests[0]?.aborted === true, 'the end of the call');
    });
  });

  it('embeds', async () => {
    const model = providerFor(tenkey.headers()).embeddingModel('embedding');
    const { embeddings } = await embedMany({ model, values: ['one', 'two'] });
    expect(embeddings).toEqual([vector, vector]);
    expect(tenkey.provider.requests[0]).toMatchObject({ path: '/v1/embeddings', key: openai.key });
  });

  it.each([
    ['a model that is not there', 'no-such-model', {}, 404, /no such model|model/i],
    ['a credential that is not there', 'without-a-credential', {}, 424, /credential/i],
    ['a wrong platform key', 'gpt-4o', { 'X-API-Key': 'a-wrong-platform-key' }, 401, /key/i],
  ])('raises its APICallError for %s', async (_, model, headers, statusCode, message) => {
    const provider = providerFor({ ...tenkey.headers(), ...headers });
    const fault: unknown = await generateText({
      model: provider.chatModel(model),
      prompt,
      maxRetries: 0,
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(APICallError.isInstance(fault)).toBe(true);
    expect(fault).toMatchObject({ statusCode, isRetryable: false });
    expect((fault as Error).message).toMatch(message);
  });
});
