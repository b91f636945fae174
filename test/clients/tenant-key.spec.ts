import { ChatOpenAI } from '@langchain/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { generateText } from 'ai';
import Older from 'anthropic-sdk-of-2023-06-01';
import OpenAI, { AzureOpenAI } from 'openai';
import { anthropic, openai, tenkeyOfSpec } from './tenkey';

/** Everything that an application has to change: the address and the key. */
describe('a client with only a tenant key', () => {
  const tenkey = tenkeyOfSpec();

  const content = 'good morning';
  const messages = [{ role: 'user' as const, content }];
  const said = `echo: ${content}`;

  it.each([openai, anthropic])('openai asks $title', async (served) => {
    const client = new OpenAI({ apiKey: tenkey.tenantKey, baseURL: `${tenkey.origin}/v1`, maxRetries: 0 });
    const answer = await client.chat.completions.create({ model: served.model, messages });
    expect(answer.choices[0]?.message.content).toBe(said);
    tenkey.expectSeen(served);
    expect((await client.models.list()).data.length).toBeGreaterThan(5);
  });

  it.each([
    ['2026-10-21', Anthropic],
    ['2023-06-01', Older as unknown as typeof Anthropic],
  ] as const)('@anthropic-ai/sdk of API version %s asks Anthropic and OpenAI', async (_version, Client) => {
    const client = new Client({ apiKey: tenkey.tenantKey, baseURL: tenkey.origin, maxRetries: 0 });
    for (const served of [anthropic, openai]) {
      const answer = await client.messages.create({ model: served.model, max_tokens: 10, messages });
      expect(answer.content).toMatchObject([{ type: 'text', text: said }]);
      tenkey.expectSeen(served);
    }
    expect((await client.models.list()).data.length).toBeGreaterThan(5);
  });

  it('ai and @langchain/openai ask OpenAI', async () => {
    const compatible = createOpenAICompatible({
      name: 'tenkey',
      apiKey: tenkey.tenantKey,
      baseURL: `${tenkey.origin}/v1`,
    });
    expect((await generateText({ model: compatible(openai.model), prompt: content })).text).toBe(said);
    tenkey.expectSeen(openai);
    const chain = new ChatOpenAI({
      model: openai.model,
      apiKey: tenkey.tenantKey,
      configuration: { baseURL: `${tenkey.origin}/v1` },
    });
    expect((await chain.invoke(content)).content).toBe(said);
    tenkey.expectSeen(openai);
  });

  it('learns the right base URL when it has a wrong one', async () => {
    const { tenantKey: apiKey, origin } = tenkey;
    const model = openai.model;
    const ofOpenAi = new OpenAI({ apiKey, baseURL: origin, maxRetries: 0 });
    await expect(ofOpenAi.chat.completions.create({ model, messages })).rejects.toThrow(
      /base URL of OpenAI's clients is the address of this server followed by \/v1;/,
    );
    await expect(ofOpenAi.models.list()).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const ofAnthropic = new Anthropic({ apiKey, baseURL: `${origin}/v1`, maxRetries: 0 });
    const asked = ofAnthropic.messages.create({ model, max_tokens: 10, messages });
    await expect(asked).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(asked).rejects.toThrow(
      /base URL of Anthropic's clients is the address of this server without/,
    );
    const ofAzure = new AzureOpenAI({
      apiKey,
      endpoint: `${origin}/v1`,
      apiVersion: '2024-10-21',
      maxRetries: 0,
    });
    await expect(ofAzure.chat.completions.create({ model, messages })).rejects.toThrow(
      /endpoint of Azure's clients is the address of this server without a path;/,
    );
  });

  it('raises its own error for a key that was mistyped', async () => {
    const mistyped = `${tenkey.tenantKey.slice(0, -1)}${tenkey.tenantKey.endsWith('0') ? '1' : '0'}`;
    const ofOpenAi = new OpenAI({ apiKey: mistyped, baseURL: `${tenkey.origin}/v1`, maxRetries: 0 });
    await expect(ofOpenAi.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    const ofAnthropic = new Anthropic({ apiKey: mistyped, baseURL: tenkey.origin, maxRetries: 0 });
    await expect(
      ofAnthropic.messages.create({ model: 'claude-sonnet', max_tokens: 1, messages }),
    ).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    expect(tenkey.provider.requests).toEqual([]);
  });
});
