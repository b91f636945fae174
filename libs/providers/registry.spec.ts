import 'reflect-metadata';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { operations } from './provider';
import {
  defaultProvider,
  findProvider,
  providerOfFamily,
  providerOfPrefix,
  providerRequirements,
  providers,
} from './registry';

const files = readdirSync(join(__dirname, 'definitions'))
  .filter((file) => /(?<!\.spec)\.ts$/.test(file))
  .map((file) => file.replace(/\.ts$/, ''));

describe('the registry', () => {
  it('contains every file of definitions/ and nothing else', () => {
    expect(providers.map(({ id }) => id).sort()).toEqual([...files].sort());
  });

  it.each(['constructor', '__proto__', 'toString', 'OpenAI', 'openai ', ''])('does not contain %j', (id) => {
    expect(findProvider(id)).toBeUndefined();
    expect(providerOfPrefix(id)).toBeUndefined();
    expect(providerOfFamily(id)).toBeUndefined();
  });

  it('gives each prefix, family and variable to only one provider', () => {
    const lists = [
      providers.flatMap(({ id, prefixes }) => [id, ...prefixes]),
      providers.flatMap(({ families }) => families),
      providers.flatMap(({ globalVariables: g, baseUrlVariables }) => [
        g.apiKey,
        ...Object.values(g.settings),
        ...baseUrlVariables,
      ]),
    ];
    for (const list of lists) expect(list).toEqual([...new Set(list)]);
  });

  it('finds providers by prefix and family, and the default provider', () => {
    expect(providerOfPrefix('hosted_vllm')).toBe(findProvider('vllm'));
    expect(providerOfPrefix('together_ai')).toBe(findProvider('together'));
    expect(providerOfPrefix('custom_openai')).toBe(findProvider('openai_compatible'));
    expect(providerOfFamily('claude')).toBe(findProvider('anthropic'));
    expect(providerOfFamily('e5')).toBeUndefined();
    expect(defaultProvider).toBe(findProvider('openai'));
  });

  it('lists the required fields of each provider', () => {
    expect(providerRequirements()).toEqual({
      openai: ['api_key'],
      anthropic: ['api_key'],
      mistral: ['api_key'],
      ovhcloud: ['api_key'],
      berget: ['api_key'],
      azure: ['api_key', 'endpoint', 'api_version', 'deployment_name'],
      vllm: ['api_key'],
      gemini: ['api_key'],
      cohere: ['api_key'],
      groq: ['api_key'],
      deepseek: ['api_key'],
      openrouter: ['api_key'],
      together: ['api_key'],
      xai: ['api_key'],
      scaleway: ['api_key'],
      openai_compatible: ['api_key', 'endpoint'],
    });
  });

  it('lists the operations whose streams need the usage option', () => {
    const usageOptions = providers.map((provider) => [
      provider.id,
      operations.filter((each) =>
        provider.hasUsageOption?.(each, provider.example, () => ({ stream: true })),
      ),
    ]);
    expect(Object.fromEntries(usageOptions.filter(([, list]) => list!.length > 0))).toEqual({
      openai: ['chat/completions', 'completions'],
      azure: ['chat/completions'],
      vllm: ['chat/completions', 'completions'],
      xai: ['chat/completions'],
      scaleway: ['chat/completions'],
    });
  });

  it.each([
    ['2023-05-15', false],
    ['2024-06-01', false],
    ['2024-08-01-preview', false],
    ['2024-09-01-preview', true],
    ['2024-10-21', true],
    ['2025-04-01-preview', true],
    ['v1', true],
    ['preview', true],
    ['latest', false],
  ])("has the usage option for Azure's version %s: %s", (api_version, expected) => {
    const azure = findProvider('azure')!;
    const settings = { ...azure.example, api_version };
    expect(azure.hasUsageOption?.('chat/completions', settings, () => ({}))).toBe(expected);
    // The version does not matter when the endpoint is that of the v1 API.
    const v1 = { ...settings, endpoint: 'https://my-resource.openai.azure.com/openai/v1/' };
    expect(azure.hasUsageOption?.('chat/completions', v1, () => ({}))).toBe(true);
    expect(azure.hasUsageOption?.('chat/completions', { api_version }, () => ({}))).toBe(expected);
  });

  it.each<[string, boolean, object]>([
    ['text', true, { messages: [{ content: 'a' }, { content: [{ type: 'text', text: 'image_url' }] }] }],
    ['data sources', false, { messages: [], data_sources: [] }],
    [
      'an image',
      false,
      { messages: [{ content: 'a' }, { content: [{ type: 'image_url', image_url: {} }] }] },
    ],
    ['invalid messages', true, { messages: [null, 1, 'a', [], { content: [null, 1, []] }] }],
    ['no messages', true, { messages: 'image_url' }],
  ])('has the usage option for a request to Azure with %s: %s', (_, expected, request) => {
    const azure = findProvider('azure')!;
    expect(azure.hasUsageOption?.('chat/completions', azure.example, () => ({ ...request }))).toBe(expected);
  });
});
