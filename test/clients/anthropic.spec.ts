import Anthropic from '@anthropic-ai/sdk';
import Older from 'anthropic-sdk-of-2023-06-01';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import { until } from '../support/until';
import { anthropic, azure, mistral, openai, type ServedModel, tenkeyOfSpec, vllm } from './tenkey';

interface ClientOfVersion {
  readonly version: string;
  readonly Client: typeof Anthropic;
  /** How the client sends its own key: the older client in X-API-Key, the newer one as a bearer token, which Tenkey ignores. */
  readonly keyHeader: 'x-api-key' | 'authorization';
}

const clients: ClientOfVersion[] = [
  { version: '2026-10-21', Client: Anthropic, keyHeader: 'authorization' },
  { version: '2023-06-01', Client: Older as unknown as typeof Anthropic, keyHeader: 'x-api-key' },
];

describe.each(clients)('the Anthropic client of API version $version', ({ version, Client, keyHeader }) => {
  const tenkey = tenkeyOfSpec();
  let client: Anthropic;
  beforeAll(() => {
    client = clientWith({});
  });

  function clientWith(headers: { 'X-API-Key'?: string }): Anthropic {
    const { 'X-API-Key': key, ...others } = { ...tenkey.headers(), ...headers };
    const isKeySent = keyHeader === 'x-api-key';
    return new Client({
      apiKey: isKeySent ? key : 'not-read-by-tenkey',
      baseURL: tenkey.origin,
      defaultHeaders: isKeySent ? others : { ...others, 'X-API-Key': key },
      maxRetries: 0,
    });
  }

  const messages = [{ role: 'user' as const, content: 'good morning' }];
  const askOf = ({ model }: ServedModel) => ({ model, max_tokens: 100, messages });
  const faultOf = (call: PromiseLike<unknown>) =>
    Promise.resolve(call).then(
      () => undefined,
      (error: unknown) => error,
    );

  describe.each([anthropic, { ...vllm, path: '/v1/messages' }, openai, azure, mistral])(
    'asks $title',
    (served) => {
      it('and gets a whole response', async () => {
        const answer = await client.messages.create({ ...askOf(served), system: 'Be brief.' });
        expect(answer).toMatchObject({
          type: 'message',
          role: 'assistant',
          content: [{ type: 'text', text: 'echo: good morning' }],
          stop_reason: 'end_turn',
          usage: { input_tokens: 3, output_tokens: 2 },
        });
        tenkey.expectSeen(served);
      });

      it('and reads the request id of the provider, in a response and in an error', async () => {
        const id = { [served === anthropic ? 'request-id' : 'x-request-id']: 'req_at_the_provider' };
        tenkey.provider.next({ headers: id });
        const answer = await client.messages.create(askOf(served));
        expect(answer._request_id).toBe('req_at_the_provider');
        tenkey.provider.next({ headers: id, status: 400 });
        const fault = await faultOf(client.messages.create(askOf(served)));
        expect(fault).toMatchObject({ status: 400, requestID: 'req_at_the_provider' });
      });

      it('and gets a stream, gathered as the client does', async () => {
        const stream = client.messages.stream(askOf(served));
        let text = '';
        stream.on('text', (part) => (text += part));
        const message = await stream.finalMessage();
        expect(text).toBe('echo: good morning');
        expect(message).toMatchObject({
          content: [{ type: 'text', text }],
          stop_reason: 'end_turn',
          usage: { output_tokens: 2 },
        });
        tenkey.expectSeen(served);
      });

      const weather = (asked: unknown[]) =>
        betaTool({
          name: 'weather',
          description: 'The weather of a city',
          inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
          run: (input) => {
            asked.push(input);
            return `snow in ${input.city}`;
          },
        });

      it.each([false, true])('and has its tools called, to the end (stream: %s)', async (stream) => {
        const asked: unknown[] = [];
        const runner = client.beta.messages.toolRunner({ ...askOf(served), tools: [weather(asked)], stream });
        const last = await runner.runUntilDone();
        expect(asked).toEqual([{ city: 'Umeå' }]);
        expect(last.content).toMatchObject([{ type: 'text', text: 'echo: snow in Umeå' }]);
        expect(tenkey.provider.requests).toHaveLength(2);
        tenkey.expectSeen(served);
      });

      it('and reads JSON of a schema', async () => {
        const format = zodOutputFormat(z.object({ answer: z.string() }));
        const answer = await client.messages.parse({ ...askOf(served), output_config: { format } });
        expect(answer.parsed_output).toEqual({ answer: 'echo: good morning' });
      });

      it('and gets an error when a stream breaks off', async () => {
        // In the middle of the answer: after the reason for its end, it would be complete.
        tenkey.provider.next({ breakAfterChunks: served.path.endsWith('/messages') ? 5 : 4 });
        const stream = await client.messages.create({ ...askOf(served), stream: true });
        const types: string[] = [];
        const read = async () => {
          for await (const event of stream) types.push(event.type);
        };
        const fault = await faultOf(read());
        expect(fault).toBeInstanceOf(Client.APIError);
        expect(fault).toMatchObject({ type: 'api_error' });
        expect(types).toContain('content_block_delta');
      });

      it('and ends the call at the provider when it leaves a stream', async () => {
        tenkey.provider.next({ chunkDelayMs: 300 });
        const stream = await client.messages.create({ ...askOf(served), stream: true });
        for await (const _ of stream) break;
        await until(() => tenkey.provider.requests[0]?.aborted === true, 'the end of the call');
      });
    },
  );

  it("gets an Anthropic model's own response, with fields that Tenkey does not know", async () => {
    const request = { ...askOf(anthropic), a_parameter_of_tomorrow: { kept: true } };
    const answer = await client.messages.create(request);
    expect(answer).toHaveProperty('unknown_field', { kept: true });
    expect(tenkey.provider.requests[0]?.body).toEqual({ ...request, model: anthropic.upstreamModel });
  });

  it('counts tokens with an Anthropic model, and gets an error for others', async () => {
    expect(await client.messages.countTokens({ model: anthropic.model, messages })).toEqual({
      input_tokens: 3,
    });
    expect(tenkey.provider.requests[0]).toMatchObject({
      path: '/v1/messages/count_tokens',
      key: anthropic.key,
    });
    const fault = await faultOf(client.messages.countTokens({ model: openai.model, messages }));
    expect(fault).toBeInstanceOf(Client.BadRequestError);
  });

  it('sends its version and betas to Anthropic, and not to others', async () => {
    const betas = ['a-beta-2026-01-01', 'another-2026-02-02'];
    await client.beta.messages.create({ ...askOf(anthropic), betas });
    expect(tenkey.provider.requests[0]?.headers).toMatchObject({
      'anthropic-version': version,
      'anthropic-beta': betas.join(','),
    });
    await client.beta.messages.create({ ...askOf(openai), betas });
    expect(tenkey.provider.requests[1]?.headers).not.toHaveProperty('anthropic-beta');
    expect(tenkey.provider.requests[1]?.body).not.toHaveProperty('betas');
  });

  it('lists the models, and retrieves one', async () => {
    const names: string[] = [];
    for await (const { type, id } of client.models.list()) names.push(`${type} ${id}`);
    expect(names).toContain('model claude-sonnet');
    expect(names).toContain('model gpt-4o');
    const found = await client.models.retrieve('claude-sonnet');
    expect(found).toMatchObject({ id: 'claude-sonnet', type: 'model', display_name: 'claude-sonnet' });
  });

  describe.each([anthropic, openai])('raises its own error for $title', (served) => {
    it('NotFoundError for a model that does not exist', async () => {
      const fault = await faultOf(client.messages.create({ ...askOf(served), model: 'no-such-model' }));
      expect(fault).toBeInstanceOf(Client.NotFoundError);
      expect(fault).toMatchObject({ status: 404, type: 'not_found_error' });
    });

    it('AuthenticationError for a wrong platform key', async () => {
      const wrong = clientWith({ 'X-API-Key': 'a-wrong-platform-key' });
      const fault = await faultOf(wrong.messages.create(askOf(served)));
      expect(fault).toBeInstanceOf(Client.AuthenticationError);
      expect(fault).toMatchObject({ type: 'authentication_error' });
    });

    it('RateLimitError with the time to wait', async () => {
      tenkey.provider.next({ status: 429, headers: { 'retry-after': '7' } });
      const fault = await faultOf(client.messages.create(askOf(served)));
      expect(fault).toBeInstanceOf(Client.RateLimitError);
      expect(fault).toMatchObject({ type: 'rate_limit_error' });
      expect((fault as InstanceType<typeof Anthropic.RateLimitError>).headers.get('retry-after')).toBe('7');
    });

    it('APIError with status 424, and not AuthenticationError, when the provider refuses the credential', async () => {
      tenkey.provider.rejectKey(served.key);
      const fault = await faultOf(client.messages.create(askOf(served)));
      expect(fault).toBeInstanceOf(Client.APIError);
      expect(fault).not.toBeInstanceOf(Client.AuthenticationError);
      expect(fault).toMatchObject({ status: 424, error: { error: { code: 'credential_rejected' } } });
      expect(String(fault)).not.toContain(served.key);
    });

    it('BadRequestError with what the provider says of the request', async () => {
      tenkey.provider.next({ status: 400, body: { error: { message: 'max_tokens must be at most 8192' } } });
      const fault = await faultOf(client.messages.create({ ...askOf(served), max_tokens: 9000 }));
      expect(fault).toBeInstanceOf(Client.BadRequestError);
      expect(fault).toMatchObject({ type: 'invalid_request_error' });
      expect(String(fault)).toContain('max_tokens must be at most 8192');
    });

    it('InternalServerError when the provider fails', async () => {
      tenkey.provider.next({
        status: 529,
        body: { error: { type: 'overloaded_error', message: 'Overloaded' } },
      });
      const fault = await faultOf(client.messages.create(askOf(served)));
      expect(fault).toBeInstanceOf(Client.InternalServerError);
    });
  });
});
