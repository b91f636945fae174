import OpenAI, { toFile } from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { sound, vector } from '../support/provider-answers';
import { azure, azureV1, openai, type ServedModel, tenkeyOfSpec, vllm } from './tenkey';

describe('the openai client', () => {
  const tenkey = tenkeyOfSpec();

  const clientFor = (tenant: ServedModel['tenant'] = 'dated') =>
    new OpenAI({
      apiKey: 'not-read-by-tenkey',
      baseURL: `${tenkey.origin}/v1`,
      defaultHeaders: tenkey.headers(tenant),
      maxRetries: 0,
    });
  const seen = () => tenkey.provider.requests.at(-1);

  it.each([
    ['embedding', 'dated', '/v1/embeddings', openai.key],
    ['embedding-azure', 'dated', '/openai/deployments/gpt-4o-sweden/embeddings', azure.key],
    ['embedding-azure', 'v1', '/openai/v1/embeddings', azure.key],
    ['embedding-vllm', 'dated', '/v1/embeddings', vllm.key],
  ] as const)(
    'embeds with %s of tenant %s: base64 by default, floats when asked',
    async (model, tenant, path, key) => {
      const client = clientFor(tenant);
      const whole = await client.embeddings.create({ model, input: ['one', 'two'] });
      expect(whole.data.map(({ embedding }) => embedding)).toEqual([vector, vector]);
      expect(seen()).toMatchObject({ path, key, body: { encoding_format: 'base64', input: ['one', 'two'] } });
      const floats = await client.embeddings.create({ model, input: 'one', encoding_format: 'float' });
      expect(floats.data[0]?.embedding).toEqual(vector);
      expect(seen()?.body.encoding_format).toBe('float');
    },
  );

  it.each([
    ['whisper', 'dated', '/v1/audio/transcriptions', openai.key, 'whisper-1'],
    [
      'whisper-azure',
      'dated',
      '/openai/deployments/gpt-4o-sweden/audio/transcriptions',
      azure.key,
      'gpt-4o-sweden',
    ],
    ['whisper-azure', 'v1', '/openai/v1/audio/transcriptions', azure.key, 'gpt-4o-sweden'],
  ] as const)('transcribes a file with %s of tenant %s', async (model, tenant, path, key, upstreamModel) => {
    const client = clientFor(tenant);
    const file = await toFile(sound, 'möte.mp3', { type: 'audio/mpeg' });
    const answer = await client.audio.transcriptions.create({ file, model, language: 'sv' });
    expect(answer.text).toBe(`heard ${sound.length} bytes`);
    expect(seen()).toMatchObject({
      path,
      key,
      form: {
        model: upstreamModel,
        language: 'sv',
        file: { name: 'möte.mp3', type: 'audio/mpeg', size: sound.length },
      },
    });
    const text = await client.audio.transcriptions.create({ model, file, response_format: 'text' });
    expect(text).toBe(`heard ${sound.length} bytes\n`);
  });

  it('transcribes as a stream, and requests timestamps with a list', async () => {
    const stream = await clientFor().audio.transcriptions.create({
      file: await toFile(sound, 'möte.mp3'),
      model: 'whisper',
      timestamp_granularities: ['word'],
      stream: true,
    });
    let text = '';
    for await (const event of stream) if (event.type === 'transcript.text.delta') text += event.delta;
    expect(text).toBe(`heard ${sound.length} bytes`);
    expect(seen()?.form).toMatchObject({ stream: 'true', 'timestamp_granularities[]': 'word' });
  });

  it('speaks, byte for byte', async () => {
    const answer = await clientFor().audio.speech.create({ model: 'speech', input: 'hej', voice: 'alloy' });
    expect(answer.headers.get('content-type')).toBe('audio/mpeg');
    expect(Buffer.from(await answer.arrayBuffer()).equals(sound)).toBe(true);
    expect(seen()).toMatchObject({ path: '/v1/audio/speech', body: { model: 'gpt-4o-mini-tts' } });
  });

  it('draws', async () => {
    const answer = await clientFor().images.generate({ model: 'image', prompt: 'a lighthouse' });
    expect(answer.data?.[0]?.b64_json).toBe('iVBORw0KGgo=');
    expect(seen()).toMatchObject({ path: '/v1/images/generations', body: { model: 'gpt-image-1' } });
  });

  it('moderates', async () => {
    const answer = await clientFor().moderations.create({ model: 'moderation', input: 'good morning' });
    expect(answer.results[0]?.flagged).toBe(false);
    expect(seen()).toMatchObject({ path: '/v1/moderations', body: { model: 'omni-moderation-latest' } });
  });

  it('lists the models, and retrieves one', async () => {
    const names: string[] = [];
    for await (const { id, object } of clientFor().models.list()) names.push(`${object} ${id}`);
    expect(names).toContain('model gpt-4o');
    expect(names).toContain('model whisper');
    expect(await clientFor().models.retrieve('claude-sonnet')).toMatchObject({
      id: 'claude-sonnet',
      object: 'model',
      tenkey: { provider: 'anthropic', ready: true },
    });
    await expect(clientFor().models.retrieve('no-such-model')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('completes text, whole and streamed', async () => {
    const client = clientFor();
    const request = { model: vllm.model, prompt: 'once upon a time' };
    const whole = await client.completions.create(request);
    expect(whole.choices[0]?.text).toBe('echo: once upon a time');
    expect(seen()).toMatchObject({ path: '/v1/completions', key: vllm.key });
    let text = '';
    for await (const part of await client.completions.create({ ...request, stream: true }))
      text += part.choices[0]?.text ?? '';
    expect(text).toBe('echo: once upon a time');
  });

  describe.each([
    { ...openai, path: '/v1/responses' },
    { ...azure, path: '/openai/responses' },
    { ...azureV1, path: '/openai/v1/responses' },
    { ...vllm, path: '/v1/responses' },
  ])('asks for responses of $title', (served) => {
    const request = { model: served.model, input: 'good morning' };

    it('whole', async () => {
      const answer = await clientFor(served.tenant).responses.create(request);
      expect(answer.output_text).toBe('echo: good morning');
      tenkey.expectSeen(served);
    });

    it('streamed', async () => {
      const stream = clientFor(served.tenant).responses.stream(request);
      let text = '';
      for await (const event of stream) if (event.type === 'response.output_text.delta') text += event.delta;
      expect(text).toBe('echo: good morning');
      expect((await stream.finalResponse()).output_text).toBe(text);
      tenkey.expectSeen(served);
    });

    it('as JSON of a schema', async () => {
      const format = zodTextFormat(z.object({ answer: z.string() }), 'answer');
      const answer = await clientFor(served.tenant).responses.parse({ ...request, text: { format } });
      expect(answer.output_parsed).toEqual({ answer: 'echo: good morning' });
    });

    it('and gets an error when a stream breaks off', async () => {
      tenkey.provider.next({ breakAfterChunks: 6 });
      const stream = await clientFor(served.tenant).responses.create({ ...request, stream: true });
      const types: string[] = [];
      const read = async () => {
        for await (const event of stream) types.push(event.type);
      };
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
      expect(types).toContain('response.output_text.delta');
    });
  });
});
