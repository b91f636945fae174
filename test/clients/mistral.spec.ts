import { HTTPClient, Mistral } from '@mistralai/mistralai';
import { MistralError } from '@mistralai/mistralai/models/errors';
import { vector } from '../support/provider-answers';
import { until } from '../support/until';
import { chatModels, mistral, type ServedModel, tenkeyOfSpec } from './tenkey';

describe('the Mistral client', () => {
  const tenkey = tenkeyOfSpec();

  function clientWith(headers: Record<string, string>): Mistral {
    const httpClient = new HTTPClient();
    httpClient.addHook('beforeRequest', (request) => {
      for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
    });
    return new Mistral({ apiKey: 'not-read-by-tenkey', serverURL: tenkey.origin, httpClient });
  }
  const clientOf = ({ tenant }: ServedModel) => clientWith(tenkey.headers(tenant));
  const messages = [{ role: 'user' as const, content: 'good morning' }];
  const faultOf = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      (error: unknown) => error,
    );

  describe.each(chatModels)('chats with $title', (served) => {
    const { model } = served;
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
      const answer = await clientOf(served).chat.complete({ model, messages });
      expect(answer).toMatchObject({
        choices: [{ message: { content: 'echo: good morning' }, finishReason: 'stop' }],
        usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 },
      });
      tenkey.expectSeen(served);
    });

    it('and gets a stream', async () => {
      let text = '';
      let reason: unknown;
      for await (const { data } of await clientOf(served).chat.stream({ model, messages })) {
        const [choice] = data.choices;
        if (typeof choice?.delta.content === 'string') text += choice.delta.content;
        reason = choice?.finishReason ?? reason;
      }
      expect([text, reason]).toEqual(['echo: good morning', 'stop']);
      tenkey.expectSeen(served);
    });

    it('and has a tool called, to the end', async () => {
      const client = clientOf(served);
      const asked = await client.chat.complete({ model, messages, tools });
      const message = asked.choices[0]!.message!;
      const [call] = message.toolCalls!;
      expect(asked.choices[0]!.finishReason).toBe('tool_calls');
      expect(call!.function).toEqual({ name: 'weather', arguments: '{"city":"Umeå"}' });
      const answer = await client.chat.complete({
        model,
        tools,
        messages: [
          ...messages,
          { ...message, role: 'assistant' },
          { role: 'tool', name: 'weather', toolCallId: call!.id, content: 'snow in Umeå' },
        ],
      });
      expect(answer.choices[0]!.message!.content).toBe('echo: snow in Umeå');
    });

    it('and reads JSON of a schema', async () => {
      const answer = await clientOf(served).chat.complete({
        model,
        messages,
        responseFormat: {
          type: 'json_schema',
          jsonSchema: {
            name: 'answer',
            schemaDefinition: {
              type: 'object',
              properties: { answer: { type: 'string' } },
              required: ['answer'],
              additionalProperties: false,
            },
          },
        },
      });
      expect(JSON.parse(answer.choices[0]!.message!.content as string)).toEqual({
        answer: 'echo: good morning',
      });
    });

    it('and gets an error when a stream breaks off', async () => {
      tenkey.provider.next({ breakAfterChunks: 4 });
      let text = '';
      const read = async () => {
        for await (const { data } of await clientOf(served).chat.stream({ model, messages }))
          text += (data.choices[0]?.delta.content as string | undefined) ?? '';
      };
      // This client has no error event, and reports that the event does not match the schema of a response.
      expect(await faultOf(read())).toMatchObject({ name: 'ZodError' });
      expect(text).toMatch(/^echo: /);
    });

    it('and ends the call at the provider when it leaves a stream', async () => {
      tenkey.provider.next({ chunkDelayMs: 300 });
      for await (const _ of await clientOf(served).chat.stream({ model, messages })) break;
      await until(() => tenkey.provider.requests[0]?.aborted === true, 'the end of the call');
    });
  });

  // Not with OpenAI's models: the client requires an id in the response, which OpenAI's does not have.
  it.each(['embedding-mistral', 'embedding-vllm'])('embeds with %s', async (model) => {
    const answer = await clientOf(mistral).embeddings.create({ model, inputs: ['one', 'two'] });
    expect(answer.data.map(({ embedding }) => embedding)).toEqual([vector, vector]);
  });

  it('lists the models', async () => {
    const { data } = await clientOf(mistral).models.list();
    // For this client `type` is the kind of a Mistral model, for Anthropic's it is `model`; so the client returns the raw fields.
    const names = data?.map((model) => ('raw' in model ? (model.raw as { id: string }).id : model.id));
    expect(names).toContain('mistral-large');
  });

  it.each([
    ['a model that is not there', 'no-such-model', {}, 404, 'model_not_found'],
    ['a credential that is not there', 'without-a-credential', {}, 424, 'credential_not_configured'],
    ['a wrong platform key', 'gpt-4o', { 'X-API-Key': 'a-wrong-platform-key' }, 401, 'unauthenticated'],
  ])('raises its MistralError for %s', async (_, model, headers, statusCode, code) => {
    const client = clientWith({ ...tenkey.headers(), ...headers });
    const fault = await faultOf(client.chat.complete({ model, messages }));
    expect(fault).toBeInstanceOf(MistralError);
    expect(fault).toMatchObject({ statusCode });
    expect(JSON.parse((fault as MistralError).body)).toMatchObject({ error: { code } });
  });
});
