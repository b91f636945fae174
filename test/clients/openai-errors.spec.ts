import OpenAI, { type ClientOptions } from 'openai';
import { openai, tenkeyOfSpec } from './tenkey';

describe('the openai client raises its own error', () => {
  const tenkey = tenkeyOfSpec();

  const ask = (request: object = {}, options: ClientOptions = {}) =>
    new OpenAI({
      apiKey: 'not-read-by-tenkey',
      baseURL: `${tenkey.origin}/v1`,
      defaultHeaders: tenkey.headers(),
      maxRetries: 0,
      ...options,
    }).chat.completions.create({
      model: openai.model,
      messages: [{ role: 'user', content: 'good morning' }],
      ...request,
    });
  const faultOf = async (call: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> => {
    const fault: unknown = await call.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(fault instanceof OpenAI.APIError)) throw new Error('no APIError was raised');
    return fault;
  };

  it('NotFoundError for a model that does not exist', async () => {
    const fault = await faultOf(ask({ model: 'no-such-model' }));
    expect(fault).toBeInstanceOf(OpenAI.NotFoundError);
    expect(fault).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
  });

  it('NotFoundError for a route that does not exist', async () => {
    const client = new OpenAI({
      apiKey: 'x',
      baseURL: `${tenkey.origin}/v1`,
      defaultHeaders: tenkey.headers(),
    });
    expect(await faultOf(client.files.list())).toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('AuthenticationError for a wrong platform key', async () => {
    const defaultHeaders = { ...tenkey.headers(), 'X-API-Key': 'a-wrong-platform-key' };
    const fault = await faultOf(ask({}, { defaultHeaders }));
    expect(fault).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(fault.code).toBe('unauthenticated');
  });

  it('RateLimitError with the time to wait', async () => {
    tenkey.provider.next({ status: 429, headers: { 'retry-after': '7' } });
    const fault = await faultOf(ask());
    expect(fault).toBeInstanceOf(OpenAI.RateLimitError);
    expect(fault.code).toBe('upstream_rate_limited');
    expect(fault.headers?.get('retry-after')).toBe('7');
  });

  it('or waits as long as the response says, and retries', async () => {
    tenkey.provider.next({ status: 429, headers: { 'retry-after': '1' } });
    const start = Date.now();
    const answer = await ask({}, { maxRetries: 1 });
    expect(answer).toMatchObject({ choices: [{ message: { content: 'echo: good morning' } }] });
    expect(Date.now() - start).toBeGreaterThanOrEqual(990);
    expect(tenkey.provider.requests).toHaveLength(2);
  });

  it('APIError with status 424 for a credential that does not exist', async () => {
    const fault = await faultOf(ask({ model: 'without-a-credential' }));
    expect(fault).toMatchObject({ status: 424, code: 'credential_not_configured' });
    expect(tenkey.provider.requests).toHaveLength(0);
  });

  it('APIError with status 424, and not AuthenticationError, when the provider refuses the credential', async () => {
    tenkey.provider.rejectKey(openai.key);
    const fault = await faultOf(ask());
    expect(fault).not.toBeInstanceOf(OpenAI.AuthenticationError);
    expect(fault).toMatchObject({ status: 424, code: 'credential_rejected' });
    expect(fault.message).not.toContain(openai.key);
  });

  it('BadRequestError with what the provider says of the request', async () => {
    tenkey.provider.next({ status: 400, body: { error: { message: 'temperature must be at most 2' } } });
    const fault = await faultOf(ask({ temperature: 3 }));
    expect(fault).toBeInstanceOf(OpenAI.BadRequestError);
    expect(fault.code).toBe('upstream_rejected_request');
    expect(fault.message).toContain('temperature must be at most 2');
  });

  it('BadRequestError that names the parameter which cannot be translated', async () => {
    const content = [{ type: 'input_audio', input_audio: { data: 'x', format: 'wav' } }];
    const fault = await faultOf(ask({ model: 'claude-sonnet', messages: [{ role: 'user', content }] }));
    expect(fault).toBeInstanceOf(OpenAI.BadRequestError);
    expect(fault).toMatchObject({ code: 'parameter_not_supported', param: 'messages[0].content[0]' });
  });

  it('InternalServerError when the provider fails', async () => {
    tenkey.provider.next({ status: 500 });
    const fault = await faultOf(ask());
    expect(fault).toBeInstanceOf(OpenAI.InternalServerError);
    expect(fault.code).toBe('upstream_unavailable');
  });
});
