import { type Response } from 'supertest';
import { describeWithApp, platformKey } from './support/app';
import { type NextAnswer } from './support/provider-server';
import { usageRecords } from './support/usage';

const models = `
completion_models:
  - { name: gpt, litellm_model_name: openai/gpt-4o }
  - { name: claude, litellm_model_name: anthropic/claude-sonnet-4-5 }
transcription_models:
  - { name: whisper, litellm_model_name: openai/whisper-1 }
speech_models:
  - { name: speech, litellm_model_name: openai/gpt-4o-mini-tts }
`;
const key = 'sk-sentinel-success-without-result';
const messages = [{ role: 'user', content: 'hello' }];
const json = { 'content-type': 'application/json' };
const events = { 'content-type': 'text/event-stream' };

describeWithApp('a response with status 200', { UPSTREAM_RETRIES: '0' }, { models }, (tenkey) => {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: key });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: key });
  });

  const post = (path: string, body: object) => tenkey.call(tenant, path, body);
  const chat = (answer: NextAnswer, fields: object = {}) => {
    tenkey.provider.next(answer);
    return post('chat/completions', { model: 'gpt', messages, ...fields });
  };
  const problemOf = ({ status, body }: Response) => [status, body.error?.tenkey_code];

  it.each<[object, number, string]>([
    [{ error: { message: 'Slow down.', code: 429 } }, 429, 'upstream_rate_limited'],
    [{ error: { message: 'No.', type: 'invalid_request_error' } }, 400, 'upstream_rejected_request'],
    [
      { error: { message: 'No.', code: 'context_length_exceeded' }, choices: [] },
      400,
      'upstream_rejected_request',
    ],
    [{ error: { message: 'Busy.', type: 'overloaded_error' }, choices: null }, 503, 'upstream_overloaded'],
    [{ error: { message: 'Pay.', code: 'insufficient_quota' } }, 429, 'upstream_quota_exhausted'],
    [{ object: 'error', message: 'No such model.', code: 404 }, 404, 'upstream_rejected_request'],
    [[{ error: { message: 'Internal.', code: 500 } }], 502, 'upstream_unavailable'],
    [{ errors: [{ message: 'It broke.' }] }, 502, 'upstream_unavailable'],
    [{ error: 'It broke.' }, 502, 'upstream_unavailable'],
  ])('whose body is %j gets the status of that error', async (body, status, code) => {
    const response = await chat({ body, headers: json });
    expect(problemOf(response)).toEqual([status, code]);
    expect(response.body.error.message).toMatch(/^[A-Z].*\.$/);
    const [record] = await usageRecords(tenkey, 1, `&tenant_id=${tenant}`);
    expect(record).toMatchObject({ outcome: 'failed', status, code, upstream_status: 200 });
  });

  it.each([
    ['nothing', '', json],
    ['white space', ' \n\n ', json],
    ['a page', '<!doctype html><title>Sign in</title>', { 'content-type': 'text/html' }],
    ['a page that calls itself JSON', '  <html></html>', json],
    ['a stream without an event', ': nothing\n\n', events],
  ])('with %s is upstream_unavailable', async (_, body, headers) => {
    for (const model of ['gpt', 'claude']) {
      const response = await chat({ body, headers }, { model });
      expect(problemOf(response)).toEqual([502, 'upstream_unavailable']);
      expect(response.body.error.message).toContain('a success status but without a result');
    }
  });

  it('is an error when speech is empty, but not when a transcript is', async () => {
    tenkey.provider.next({ body: '', headers: { 'content-type': 'audio/mpeg' } });
    const speech = await post('audio/speech', { model: 'speech', input: 'hej', voice: 'alloy' });
    expect(problemOf(speech)).toEqual([502, 'upstream_unavailable']);
    for (const text of ['', '<unclear>']) {
      tenkey.provider.next({ body: text, headers: { 'content-type': 'text/plain' } });
      const transcript = await tenkey
        .http()
        .post('/v1/audio/transcriptions')
        .set({ 'x-api-key': platformKey, 'x-tenant-id': tenant })
        .field('model', 'whisper')
        .field('response_format', 'text')
        .attach('file', Buffer.from('sound'), 'a.mp3');
      expect([transcript.status, transcript.text]).toEqual([200, text]);
    }
  });

  it.each([
    { choices: [{ message: { content: 'an error' } }], error: null },
    { choices: [{ message: { content: 'x' } }], error: { message: 'A warning.' } },
    { object: 'response', status: 'failed', error: { code: 'server_error', message: 'No.' }, output: [] },
    { data: [{ embedding: [1] }], errors: [] },
  ])('passes unchanged when it has a result: %j', async (body) => {
    const response = await chat({ body, headers: json });
    expect([response.status, response.body]).toEqual([200, body]);
  });

  it.each([
    ['data: {"error":{"message":"Slow down.","code":429}}\n\n', 429, 'upstream_rate_limited'],
    [
      ': OPENROUTER PROCESSING\n\n: again\n\ndata: {"error":{"message":"No.","code":400}}\n\n',
      400,
      'upstream_rejected_request',
    ],
    ['event: error\ndata: {"message":"No.","type":"server_error"}\n\n', 502, 'upstream_unavailable'],
    ['{"error":{"message":"No.","code":"context_length_exceeded"}}', 400, 'upstream_rejected_request'],
  ])('whose first event is an error gets its status: %j', async (text, status, code) => {
    for (const cut of [0, 7, text.length - 3]) {
      const chunks = [text.slice(0, cut), text.slice(cut)].filter((each) => each !== '');
      const response = await chat({ chunks, chunkDelayMs: 20 }, { stream: true });
      expect(problemOf(response)).toEqual([status, code]);
      expect(response.headers['content-type']).toContain('application/json');
    }
    // A translated stream too.
    tenkey.provider.next({ chunks: [text] });
    const translated = await post('messages', { model: 'gpt', messages, max_tokens: 9, stream: true });
    expect(problemOf(translated)).toEqual([status, code]);
  });

  it('sends the head of a stream after two seconds without an event', async () => {
    const chunks = [': thinking\n\n', 'data: {"error":{"message":"No.","code":400}}\n\n'];
    tenkey.provider.next({ chunks, chunkDelayMs: 2500 });
    const { port } = tenkey.nest.getHttpServer().address() as { port: number };
    const start = Date.now();
    const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: JSON.stringify({ model: 'gpt', messages, stream: true }),
    });
    expect(response.status).toBe(200);
    expect(Date.now() - start).toBeGreaterThan(1900);
    expect(Date.now() - start).toBeLessThan(2450);
    expect(await response.text()).toMatch(/^: thinking\n\ndata: \{"error":\{"message":"No\."/);
  });
});
