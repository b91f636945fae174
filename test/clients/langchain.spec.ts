import { HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';
import { vector } from '../support/provider-answers';
import { chatModels, openai, type ServedModel, tenkeyOfSpec } from './tenkey';

describe('LangChain', () => {
  const tenkey = tenkeyOfSpec();

  const settings = (tenant: ServedModel['tenant'] = 'dated') => ({
    apiKey: 'not-read-by-tenkey',
    maxRetries: 0,
    configuration: { baseURL: `${tenkey.origin}/v1`, defaultHeaders: tenkey.headers(tenant) },
  });
  const modelOf = ({ model, tenant }: ServedModel) => new ChatOpenAI({ model, ...settings(tenant) });

  describe.each(chatModels)('asks $title', (served) => {
    it('and gets a whole response', async () => {
      const answer = await modelOf(served).invoke('good morning');
      expect(answer.text).toBe('echo: good morning');
      expect(answer.usage_metadata).toMatchObject({ input_tokens: 3, output_tokens: 2, total_tokens: 5 });
      tenkey.expectSeen(served);
    });

    it('and gets a stream', async () => {
      let text = '';
      for await (const part of await modelOf(served).stream('good morning')) text += part.text;
      expect(text).toBe('echo: good morning');
      tenkey.expectSeen(served);
    });

    it('and has its tools called, to the end', async () => {
      const weather = tool(({ city }) => `snow in ${city}`, {
        name: 'weather',
        description: 'The weather of a city',
        schema: z.object({ city: z.string() }),
      });
      const model = modelOf(served).bindTools([weather]);
      const question = new HumanMessage('good morning');
      const asked = await model.invoke([question]);
      expect(asked.tool_calls).toMatchObject([{ name: 'weather', args: { city: 'Umeå' } }]);
      const result: unknown = await weather.invoke(asked.tool_calls![0]!);
      expect(result).toBeInstanceOf(ToolMessage);
      const answer = await model.invoke([question, asked, result as ToolMessage]);
      expect(answer.text).toBe('echo: snow in Umeå');
    });

    it('and gathers a streamed tool call', async () => {
      const model = modelOf(served).bindTools([
        { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } },
      ]);
      const stream = await model.stream('good morning');
      let whole;
      for await (const part of stream) whole = whole === undefined ? part : whole.concat(part);
      expect(whole?.tool_calls).toMatchObject([{ name: 'weather', args: { city: 'Umeå' } }]);
    });

    it('and reads an object of a schema, by JSON schema and by a tool', async () => {
      const byJson = modelOf(served).withStructuredOutput(z.object({ answer: z.string() }), {
        method: 'jsonSchema',
      });
      expect(await byJson.invoke('good morning')).toEqual({ answer: 'echo: good morning' });
      const byTool = modelOf(served).withStructuredOutput(z.object({ city: z.string() }), {
        method: 'functionCalling',
      });
      expect(await byTool.invoke('good morning')).toEqual({ city: 'Umeå' });
    });

    it('and gets an error when a stream breaks off', async () => {
      tenkey.provider.next({ breakAfterChunks: 4 });
      let text = '';
      const read = async () => {
        for await (const part of await modelOf(served).stream('good morning')) text += part.text;
      };
      await expect(read()).rejects.toMatchObject({ code: 'upstream_unavailable' });
      expect(text).toMatch(/^echo: /);
    });
  });

  it.each(['embedding', 'embedding-azure', 'embedding-vllm'])('embeds with %s', async (model) => {
    const embeddings = new OpenAIEmbeddings({ model, ...settings() });
    expect(await embeddings.embedQuery('one')).toEqual(vector);
    expect(await embeddings.embedDocuments(['one', 'two'])).toEqual([vector, vector]);
  });

  it('raises the errors of the openai client', async () => {
    const faults = [
      ['no-such-model', { status: 404, code: 'model_not_found' }],
      ['without-a-credential', { status: 424, code: 'credential_not_configured' }],
    ] as const;
    for (const [model, fault] of faults) {
      await expect(modelOf({ ...openai, model }).invoke('good morning')).rejects.toMatchObject(fault);
    }
  });
});
