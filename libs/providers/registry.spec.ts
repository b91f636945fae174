import 'reflect-metadata';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { declaredProvider, faultOfProviderId, isTakenId } from './declared-provider';
import { operations } from './provider';
import { defaultProvider, fixedProviders, ProviderRegistry } from './registry';

const registry = new ProviderRegistry();

const files = readdirSync(join(__dirname, 'definitions'))
  .filter((file) => /(?<!\.spec)\.ts$/.test(file))
  .map((file) => file.replace(/\.ts$/, ''));

describe('the registry', () => {
  it('contains every file of definitions/ and nothing else', () => {
    expect(fixedProviders.map(({ id }) => id).sort()).toEqual([...files].sort());
  });

  it.each(['constructor', '__proto__', 'toString', 'OpenAI', 'openai ', ''])('does not contain %j', (id) => {
    expect(registry.find(id)).toBeUndefined();
    expect(registry.ofPrefix(id)).toBeUndefined();
    expect(registry.ofFamily(id)).toBeUndefined();
  });

  it('finds what a catalogue declares, by its id only, until another catalogue takes its place', () => {
    const changing = new ProviderRegistry();
    const gdm = declaredProvider({ id: 'gdm', kind: 'vllm', label: 'GDM' });
    const openAiCompatible = changing.find('openai_compatible');
    expect([changing.find('gdm'), changing.ofPrefix('gdm')]).toEqual([undefined, openAiCompatible]);
    changing.replaceWith(new ProviderRegistry([gdm]));
    expect([changing.find('gdm'), changing.ofPrefix('gdm')]).toEqual([gdm, gdm]);
    expect([changing.ofPrefix('klang'), changing.ofPrefix('vllm')]).toEqual([
      openAiCompatible,
      changing.find('vllm'),
    ]);
    expect(changing.all).toEqual([...fixedProviders, gdm]);
    expect(changing.requirements().gdm).toEqual(['api_key']);
    changing.replaceWith(new ProviderRegistry());
    expect([changing.find('gdm'), changing.ofPrefix('gdm')]).toEqual([undefined, openAiCompatible]);
  });

  it.each([
    ['gdm', undefined],
    ['a', undefined],
    ['my-llm_2', undefined],
    ['openai', 'taken'],
    ['hosted_vllm', 'taken'],
    ['openai_like', 'taken'],
    ['constructor', undefined],
    ['__proto__', 'form'],
    ['Gdm', 'form'],
    ['2nd', 'form'],
    ['a--b', 'form'],
    ['a/b', 'form'],
    ['a_', 'form'],
    ['å', 'form'],
    ['a'.repeat(41), 'form'],
    ['', 'form'],
    [7, 'form'],
    [undefined, 'form'],
  ])('says of the id %j: %s', (id, expected) => {
    const isFaulty = faultOfProviderId(id) !== undefined;
    expect(isFaulty ? 'form' : isTakenId(id as string) ? 'taken' : undefined).toBe(expected);
  });

  it('names the variables of a declared provider after its id', () => {
    const eu = declaredProvider({ id: 'azure-eu', kind: 'azure', label: 'EU' });
    expect([eu.globalVariables, eu.baseUrlVariables]).toEqual([
      {
        apiKey: 'AZURE_EU_API_KEY',
        settings: {
          endpoint: 'AZURE_EU_ENDPOINT',
          api_version: 'AZURE_EU_API_VERSION',
          deployment_name: 'AZURE_EU_DEPLOYMENT_NAME',
          deployments: 'AZURE_EU_DEPLOYMENTS',
        },
      },
      [],
    ]);
  });

  it('gives each prefix, family and variable to only one provider', () => {
    const lists = [
      fixedProviders.flatMap(({ id, prefixes, declarablePrefixes = [] }) => [
        id,
        ...prefixes,
        ...declarablePrefixes,
      ]),
      fixedProviders.flatMap(({ families }) => families),
      fixedProviders.flatMap(({ globalVariables: g, baseUrlVariables }) => [
        g.apiKey,
        ...Object.values(g.settings),
        ...baseUrlVariables,
      ]),
    ];
    for (const list of lists) expect(list).toEqual([...new Set(list)]);
  });

  it('finds providers by prefix and family, and the default provider', () => {
    expect(registry.ofPrefix('hosted_vllm')).toBe(registry.find('vllm'));
    expect(registry.ofPrefix('together_ai')).toBe(registry.find('together'));
    expect(registry.ofPrefix('custom_openai')).toBe(registry.find('openai_compatible'));
    expect(registry.ofFamily('claude')).toBe(registry.find('anthropic'));
    expect(registry.ofFamily('e5')).toBeUndefined();
    expect(defaultProvider).toBe(registry.find('openai'));
  });

  it('lists the required fields of each provider', () => {
    expect(registry.requirements()).toEqual({
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
    const usageOptions = fixedProviders.map((provider) => [
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
    const azure = registry.find('azure')!;
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
    const azure = registry.find('azure')!;
    expect(azure.hasUsageOption?.('chat/completions', azure.example, () => ({ ...request }))).toBe(expected);
  });
});
