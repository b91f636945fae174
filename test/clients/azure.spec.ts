import { createAzure } from '@ai-sdk/azure';
import { HumanMessage } from '@langchain/core/messages';
import { AzureChatOpenAI, AzureOpenAIEmbeddings } from '@langchain/openai';
import { APICallError, embedMany, generateText, stepCountIs, streamText, tool } from 'ai';
import { AzureOpenAI, NotFoundError, toFile } from 'openai';
import { z } from 'zod';
import { sound, vector } from '../support/provider-answers';
import { chatModels, openai, tenkeyOfSpec } from './tenkey';

const prompt = 'good morning';
const said = `echo: ${prompt}`;
const apiVersion = '2024-10-21';
/** The keys of this spec are of the first tenant. */
const models = chatModels.filter(({ tenant }) => tenant === 'dated');

describe('clients of Azure OpenAI with the address of Tenkey and a tenant key', () => {
  const tenkey = tenkeyOfSpec();
  const seen = () => tenkey.provider.requests.at(-1);

  describe('AzureOpenAI of openai', () => {
    const messages = [{ role: 'user' as const, content: prompt }];
    const clientFor = (deployment?: string, slash = '') =>
      new AzureOpenAI({
        apiKey: tenkey.tenantKey,
        endpoint: tenkey.origin + slash,
        apiVersion,
        deployment,
        maxRetries: 0,
      });

    it.each(models)('asks $title, whole and streamed', async (served) => {
      const client = clientFor();
      const whole = await client.chat.completions.create({ model: served.model, messages });
      expect(whole.choices[0]?.message.content).toBe(said);
      tenkey.expectSeen(served);
      let text = '';
      const stream = await client.chat.completions.create({ model: served.model, messages, stream: true });
      for await (const part of stream) text += part.choices[0]?.delta.content ?? '';
      expect(text).toBe(said);
    });

    it('obeys its deployment, whatever model a call names', async () => {
      const client = clientFor(openai.model);
      const answer = await client.chat.completions.create({ model: 'ignored-by-azure', messages });
      expect(answer.choices[0]?.message.content).toBe(said);
      tenkey.expectSeen(openai);
    });

    it('works with an endpoint that ends in a slash', async () => {
      const answer = await clientFor(undefined, '/').chat.completions.create({
        model: openai.model,
        messages,
      });
      expect(answer.choices[0]?.message.content).toBe(said);
    });

    it('embeds, transcribes, translates, speaks, draws, edits, responds and lists the models', async () => {
      const client = clientFor();
      const embedded = await client.embeddings.create({ model: 'embedding', input: 'one' });
      expect(embedded.data[0]?.embedding).toEqual(vector);
      const file = await toFile(sound, 'möte.mp3', { type: 'audio/mpeg' });
      const transcript = await client.audio.transcriptions.create({ model: 'whisper', file });
      expect(transcript.text).toBe(`heard ${sound.length} bytes`);
      expect(seen()).toMatchObject({ path: '/v1/audio/transcriptions', form: { model: 'whisper-1' } });
      const translation = await client.audio.translations.create({ model: 'whisper', file });
      expect(translation.text).toBe(`heard ${sound.length} bytes`);
      const speech = await client.audio.speech.create({ model: 'speech', input: 'hej', voice: 'alloy' });
      expect(Buffer.from(await speech.arrayBuffer()).equals(sound)).toBe(true);
      const drawn = await client.images.generate({ model: 'image', prompt });
      expect(drawn.data?.[0]?.b64_json).toBe('iVBORw0KGgo=');
      const image = await toFile(sound, 'a.png', { type: 'image/png' });
      const edited = await client.images.edit({ model: 'image', prompt, image: [image, image] });
      expect(edited.data?.[0]?.b64_json).toBe('iVBORw0KGgo=');
      expect(seen()).toMatchObject({ path: '/v1/images/edits', form: { model: 'gpt-image-1', prompt } });
      const response = await client.responses.create({ model: openai.model, input: prompt });
      expect(response.output_text).toBe(said);
      expect((await client.models.list()).data.length).toBeGreaterThan(5);
    });

    it('raises its own error for a deployment that is not there', async () => {
      const asked = clientFor('no-such-model').chat.completions.create({ model: '', messages });
      await expect(asked).rejects.toBeInstanceOf(NotFoundError);
    });
  });

  describe('AzureChatOpenAI of @langchain/openai', () => {
    const settings = () => ({
      azureOpenAIApiKey: tenkey.tenantKey,
      azureOpenAIEndpoint: tenkey.origin,
      azureOpenAIApiVersion: apiVersion,
      maxRetries: 0,
    });

    it.each(models)('asks $title, whole, streamed and with a tool', async (served) => {
      const model = new AzureChatOpenAI({ ...settings(), azureOpenAIApiDeploymentName: served.model });
      expect((await model.invoke([new HumanMessage(prompt)])).text).toBe(said);
      tenkey.expectSeen(served);
      let text = '';
      for await (const part of await model.stream(prompt)) text += part.text;
      expect(text).toBe(said);
      const withTool = model.bindTools([
        { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } },
      ]);
      expect((await withTool.invoke(prompt)).tool_calls).toMatchObject([{ name: 'weather' }]);
    });

    it('embeds', async () => {
      const embeddings = new AzureOpenAIEmbeddings({
        ...settings(),
        azureOpenAIBasePath: `${tenkey.origin}/openai/deployments`,
        azureOpenAIApiDeploymentName: 'embedding',
      });
      expect(await embeddings.embedQuery('one')).toEqual(vector);
    });
  });

  describe.each([
    ['deployments in the path', '/openai', { useDeploymentBasedUrls: true, apiVersion }],
    ['the v1 API', '/openai/v1', {}],
    ['the base URL of a resource', '/openai', {}],
  ])('@ai-sdk/azure with %s', (_, base, options) => {
    const provider = () =>
      createAzure({ apiKey: tenkey.tenantKey, baseURL: tenkey.origin + base, ...options });

    it.each(models)('asks $title, whole, streamed and with its tools to the end', async (served) => {
      const model = provider().chat(served.model);
      expect((await generateText({ model, prompt })).text).toBe(said);
      tenkey.expectSeen(served);
      expect(await streamText({ model, prompt }).text).toBe(said);
      const weather = tool({
        description: 'The weather of a city',
        inputSchema: z.object({ city: z.string() }),
        execute: ({ city }) => `snow in ${city}`,
      });
      const answer = await generateText({ model, prompt, tools: { weather }, stopWhen: stepCountIs(3) });
      expect(answer.text).toBe('echo: snow in Umeå');
    });

    it('asks for responses, and embeds', async () => {
      const { text } = await generateText({ model: provider()(openai.model), prompt });
      expect(text).toBe(said);
      expect(seen()).toMatchObject({ path: '/v1/responses', body: { model: 'gpt-4o' } });
      const { embeddings } = await embedMany({
        model: provider().embedding('embedding'),
        values: ['one', 'two'],
      });
      expect(embeddings).toEqual([vector, vector]);
    });

    it('raises its own error', async () => {
      const asked = generateText({ model: provider().chat('no-such-model'), prompt, maxRetries: 0 });
      const fault: unknown = await asked.catch((error: unknown) => error);
      expect(APICallError.isInstance(fault)).toBe(true);
      expect(fault).toMatchObject({ statusCode: 404, isRetryable: false });
    });
  });
});
