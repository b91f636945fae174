import 'reflect-metadata';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { Secret } from '#crypto';
import { operations, type Provider } from './provider';
import {
  defaultProvider,
  findProvider,
  providerOfFamily,
  providerOfPrefix,
  providerRequirements,
  providers,
} from './registry';
import { InvalidTarget } from './target-url';

const key = 'sentinel-key-7f3a9c';
const files = readdirSync(join(__dirname, 'definitions'))
  .filter((file) => /(?<!\.spec)\.ts$/.test(file))
  .map((file) => file.replace(/\.ts$/, ''));

const faultsOf = (provider: Provider, body: object) =>
  validateSync(plainToInstance(provider.credentialClass, body)).map(({ property, constraints }) => ({
    property,
    text: Object.values(constraints ?? {}).join(' '),
  }));
const propertiesAtFault = (provider: Provider, body: object) =>
  faultsOf(provider, body).map((fault) => fault.property);
const endpointOf = (provider: Provider) =>
  new URL(provider.defaultEndpoint ?? (provider.example.endpoint as string));
/** Without one of these the answer would be to another question. */
const askedFor =
  'model messages input file n stream tools functions modalities dimensions response_format previous_response_id'.split(
    ' ',
  );
/** Headers that say who pays, or that are the connection's own. No client may set them for the provider. */
const notToPass =
  /^(authorization|proxy-.*|cookie|host|connection|content-.*|transfer-encoding|x-tenant-id|(x-)?api-key|openai-(organization|project))$/;

/** Text made of what has moved a key to another host before, mixed with anything at all. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '#',
        '/',
        '@',
        '?',
        '\\',
        '%2f',
        '%2F',
        '..',
        '.',
        '%2e%2e',
        ':',
        '//',
        'evil.com',
        '\t',
        '\n',
      ),
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

describe('the registry', () => {
  it('has every file of definitions/ and nothing else', () => {
    expect(providers.map(({ id }) => id).sort()).toEqual([...files].sort());
  });

  it.each(['constructor', '__proto__', 'toString', 'OpenAI', 'openai ', ''])('does not know %j', (id) => {
    expect(findProvider(id)).toBeUndefined();
    expect(providerOfPrefix(id)).toBeUndefined();
    expect(providerOfFamily(id)).toBeUndefined();
  });

  it('gives no prefix, family or variable to two providers', () => {
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

  it('resolves prefixes, families and the default', () => {
    expect(providerOfPrefix('hosted_vllm')).toBe(findProvider('vllm'));
    expect(providerOfPrefix('together_ai')).toBe(findProvider('together'));
    expect(providerOfPrefix('custom_openai')).toBe(findProvider('openai_compatible'));
    expect(providerOfFamily('claude')).toBe(findProvider('anthropic'));
    expect(providerOfFamily('e5')).toBeUndefined();
    expect(defaultProvider).toBe(findProvider('openai'));
  });

  it('states what each provider requires', () => {
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

  it('states which streams are asked for their usage', () => {
    const asked = providers.map((provider) => [
      provider.id,
      operations.filter((each) => provider.hasUsageOption?.(each, provider.example, { stream: true })),
    ]);
    expect(Object.fromEntries(asked.filter(([, found]) => found!.length > 0))).toEqual({
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
  ])("asks a stream of Azure's version %s for its usage: %s", (api_version, isAsked) => {
    const azure = findProvider('azure')!;
    const settings = { ...azure.example, api_version };
    expect(azure.hasUsageOption?.('chat/completions', settings, {})).toBe(isAsked);
    // Where the endpoint is that of the v1 API, the version says nothing.
    const v1 = { ...settings, endpoint: 'https://my-resource.openai.azure.com/openai/v1/' };
    expect(azure.hasUsageOption?.('chat/completions', v1, {})).toBe(true);
    expect(azure.hasUsageOption?.('chat/completions', { api_version }, {})).toBe(isAsked);
  });

  it.each<[string, boolean, object]>([
    ['text', true, { messages: [{ content: 'a' }, { content: [{ type: 'text', text: 'image_url' }] }] }],
    ['data sources', false, { messages: [], data_sources: [] }],
    [
      'an image',
      false,
      { messages: [{ content: 'a' }, { content: [{ type: 'image_url', image_url: {} }] }] },
    ],
    ['nonsense', true, { messages: [null, 1, 'a', [], { content: [null, 1, []] }] }],
    ['no messages', true, { messages: 'image_url' }],
  ])('asks a stream of Azure for its usage with %s: %s', (_, isAsked, request) => {
    const azure = findProvider('azure')!;
    expect(azure.hasUsageOption?.('chat/completions', azure.example, { ...request })).toBe(isAsked);
  });
});

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s', (_id, provider) => {
  it('is frozen and is found by its id', () => {
    expect(Object.isFrozen(provider)).toBe(true);
    expect(findProvider(provider.id)).toBe(provider);
    expect(provider.id).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(provider.label).not.toBe('');
  });

  it('has an operation, each once, in the order of the list', () => {
    expect(provider.operations.length).toBeGreaterThan(0);
    expect(provider.operations).toEqual(operations.filter((each) => provider.operations.includes(each)));
  });

  it('says of a request only what can be done to it', () => {
    for (const [operation, { renamed = {}, unsupported = [] }] of Object.entries(
      provider.differences ?? {},
    )) {
      expect(provider.operations).toContain(operation);
      const names = [...Object.keys(renamed), ...Object.values(renamed), ...unsupported];
      expect(names).toEqual([...new Set(names)]);
      for (const name of names) expect(name).toMatch(/^[a-z][a-z_]*$/);
      for (const name of askedFor) {
        expect(unsupported).not.toContain(name);
      }
    }
  });

  it('asks for the usage of a stream only in a format that has the option, and takes it', () => {
    for (const operation of operations) {
      if (provider.hasUsageOption?.(operation, provider.example, { stream: true }) !== true) continue;
      expect(provider.operations).toContain(operation);
      expect(['chat/completions', 'completions']).toContain(operation);
      expect(provider.differences?.[operation]?.unsupported ?? []).not.toContain('stream_options');
    }
  });

  it('waits for some time, but not for ever', () => {
    for (const milliseconds of Object.values(provider.timeouts ?? {})) {
      expect(Number.isInteger(milliseconds)).toBe(true);
      expect(milliseconds).toBeGreaterThan(0);
      expect(milliseconds).toBeLessThanOrEqual(3_600_000);
    }
  });

  it('passes no header of the client that carries a key, or chooses who pays', () => {
    const keyHeaders = Object.entries(provider.headers(new Secret(key)))
      .filter(([, value]) => value.includes(key))
      .map(([name]) => name);
    const passed = provider.passedRequestHeaders ?? [];
    expect(passed).toEqual([...new Set(passed)]);
    for (const name of passed) {
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(keyHeaders).not.toContain(name);
      expect(name).not.toMatch(notToPass);
    }
  });

  it('asks for a key by something that no provider bills', () => {
    const { method, url, body } = provider.probe(endpointOf(provider), provider.example);
    expect(method).toBe(body === undefined ? 'GET' : 'POST');
    if (body === undefined) return;
    expect(url.pathname.endsWith('/chat/completions')).toBe(true);
    expect(JSON.parse(body)).toMatchObject({ model: 'no-such-model-credential-check', max_tokens: 1 });
  });

  it('knows a refused key, and does not take another refusal for one', () => {
    const refuses = (status: number, message: string) =>
      provider.isCredentialRefusal?.(status, message) ?? (status === 401 || status === 403);
    expect(refuses(401, 'Unauthorized')).toBe(true);
    for (const status of [200, 400, 402, 404, 408, 413, 422, 429, 500, 503]) {
      for (const message of ['', 'Invalid value for max_tokens.', 'The model does not exist.', key]) {
        expect([status, message, refuses(status, message)]).toEqual([status, message, false]);
      }
    }
    for (const message of ['', 'Incorrect API key provided.', 'Forbidden']) {
      expect(provider.isNetworkRuleRefusal?.(message) ?? false).toBe(false);
    }
  });

  it('accepts its own example, and the key with blanks around it', () => {
    expect(faultsOf(provider, provider.example)).toEqual([]);
    const padded = { ...provider.example, api_key: ` ${key}\n` };
    expect(faultsOf(provider, padded)).toEqual([]);
    expect(plainToInstance(provider.credentialClass, padded)).toMatchObject({ api_key: key });
  });

  it('requires exactly the fields that it says are required', () => {
    for (const absent of [undefined, null]) {
      for (const { name, required } of provider.fields) {
        const expected = required ? [name] : [];
        expect(propertiesAtFault(provider, { ...provider.example, [name]: absent })).toEqual(expected);
      }
    }
    for (const name of Object.keys(provider.example)) {
      expect(provider.fields.map((field) => field.name)).toContain(name);
    }
    for (const name of Object.keys(provider.globalVariables.settings)) {
      expect(provider.fields.map((field) => field.name)).toContain(name);
    }
  });

  it.each([
    ['too short', 'q7Zk2Xw'],
    ['short after trimming', '   q7Zk2   '],
    ['too long', 'q7Zk2Xw'.repeat(1500)],
    ['a mask', '...q7Zk'],
    ['a longer mask', '...q7Zk2'],
    ['a mask as logs have it', '[secret ...q7Zk]'],
    ['a mask of four astral characters', '...\u{1F600}\u{1F601}\u{1F602}\u{1F603}'],
    ['beyond ASCII', 'q7Zk2Xw-ä-q7Zk2Xw'],
    ['with a line break', 'q7Zk2Xw\nq7Zk2Xw'],
    ['with a control character', 'q7Zk2Xw\x7fq7Zk2Xw'],
    ['a number', 12345678901],
    ['a list', ['q7Zk2Xw-q7Zk2Xw']],
    ['an object', { q7Zk2Xw: 'q7Zk2Xw' }],
  ])('refuses a key that is %s, without repeating it', (_what, value) => {
    const faults = faultsOf(provider, { ...provider.example, api_key: value });
    expect(faults.map((fault) => fault.property)).toEqual(['api_key']);
    expect(JSON.stringify(faults)).not.toMatch(/q7Zk|12345|ä/);
  });

  it('accepts a long key that begins with dots', () => {
    expect(faultsOf(provider, { ...provider.example, api_key: '...q7Zk2X' })).toEqual([]);
  });

  if (provider.fields.some(({ name }) => name === 'endpoint')) {
    it.each([
      'q7zk.example',
      'ftp://q7zk.example',
      'file:///q7zk',
      'https:q7zk.example',
      'https:///q7zk.example',
      'https://user@q7zk.example',
      'https://user:pass@q7zk.example',
      'https://@q7zk.example',
      'https://q7zk.example?',
      'https://q7zk.example/?a=b',
      'https://q7zk.example#',
      'https://q7zk.example\\@evil.example',
      'https://q7zk.ex\tample',
      'https://q7zk.example:99999',
      `https://q7zk.example/${'a'.repeat(2048)}`,
      'javascript:q7zk',
      7,
      ['https://q7zk.example'],
    ])('refuses the endpoint %j, without repeating it', (value) => {
      const faults = faultsOf(provider, { ...provider.example, endpoint: value });
      expect(faults.map((fault) => fault.property)).toEqual(['endpoint']);
      expect(JSON.stringify(faults)).not.toMatch(/q7zk/);
    });

    it.each([
      'http://vllm.models.svc.cluster.local:8000',
      'https://x.services.ai.azure.com/',
      'http://[fd00::1]:8000/v1',
    ])('accepts the endpoint %s', (value) =>
      expect(faultsOf(provider, { ...provider.example, endpoint: value })).toEqual([]),
    );
  }

  it('puts the key into headers only, with lower-case names', () => {
    const headers = provider.headers(new Secret(key));
    expect(Object.values(headers).some((value) => value.includes(key))).toBe(true);
    for (const name of Object.keys(headers)) expect(name).toBe(name.toLowerCase());
    const addresses = provider.operations.map((operation) =>
      provider.url(endpointOf(provider), { ...provider.example, api_key: key }, 'model', operation),
    );
    addresses.push(provider.probe(endpointOf(provider), { ...provider.example, api_key: key }).url);
    for (const address of addresses) expect(address.href).not.toContain(key);
  });

  it('keeps the origin and the base path of any endpoint, and does not change the endpoint', () => {
    for (const text of [
      'https://proxy.example:8443/llm//',
      'http://[fd00::1]:8000',
      'https://x.example//evil.com/',
    ]) {
      const endpoint = new URL(text);
      const base = endpoint.pathname.replace(/\/+$/, '');
      const { url: probe } = provider.probe(endpoint, provider.example);
      const urls = provider.operations.map((operation) =>
        provider.url(endpoint, provider.example, 'm', operation),
      );
      for (const url of [probe, ...urls]) {
        expect(url.origin).toBe(endpoint.origin);
        expect(url.pathname.startsWith(`${base}/`)).toBe(true);
      }
      expect(endpoint.href).toBe(new URL(text).href);
    }
  });

  it('refuses an endpoint that is not http', () => {
    const nowhere = new URL('ftp://x.example');
    for (const operation of provider.operations) {
      expect(() => provider.url(nowhere, provider.example, 'm', operation)).toThrow(InvalidTarget);
    }
    expect(() => provider.probe(nowhere, provider.example)).toThrow(InvalidTarget);
  });

  it('never leaves host and base path, whatever model, deployment and api_version are', () => {
    const endpoint = new URL('https://safe.example:8443/base');
    const addressesFor = (settings: object, model: string) => [
      ...provider.operations.map((each) => provider.url(endpoint, { ...settings }, model, each)),
      provider.probe(endpoint, { ...settings }).url,
    ];
    const plain = addressesFor(provider.example, 'm');
    fc.assert(
      fc.property(
        hostile,
        hostile,
        hostile,
        fc.constantFrom('model', 'name', 'map', 'version', 'all'),
        (a, b, c, which) => {
          const all = which === 'all';
          const settings = {
            ...provider.example,
            ...((all || which === 'name') && { deployment_name: a, deployments: undefined }),
            ...(which === 'map' && { deployments: Object.fromEntries([[b, a]]) }),
            ...((all || which === 'version') && { api_version: c }),
          };
          let urls: URL[];
          try {
            urls = addressesFor(settings, b);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidTarget);
            return;
          }
          const astray = urls.filter((url, index) => {
            const usual = plain[index] as URL;
            return !(
              url.origin === endpoint.origin &&
              url.host === 'safe.example:8443' &&
              url.username + url.password + url.hash === '' &&
              url.pathname.startsWith('/base/') &&
              new URL(url.href).href === url.href &&
              [...url.searchParams.keys()].join() === [...usual.searchParams.keys()].join() &&
              url.pathname.split('/').length === usual.pathname.split('/').length
            );
          });
          expect(astray).toEqual([]);
        },
      ),
      { numRuns: 400 },
    );
  });
});
