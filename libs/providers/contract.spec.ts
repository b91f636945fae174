import 'reflect-metadata';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { Secret } from '#crypto';
import type { Operation, Provider } from './provider';
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
const files = readdirSync(join(__dirname, 'catalogue'))
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
  it('has every file of catalogue/ and nothing else', () => {
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
    });
  });
});

describe.each(providers.map((provider) => [provider.id, provider] as const))('%s', (_id, provider) => {
  it('is frozen and is found by its id', () => {
    expect(Object.isFrozen(provider)).toBe(true);
    expect(findProvider(provider.id)).toBe(provider);
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
      const { url: probe, method } = provider.probe(endpoint, provider.example);
      const urls = provider.operations.map((operation) =>
        provider.url(endpoint, provider.example, 'm', operation),
      );
      for (const url of [probe, ...urls]) {
        expect(url.origin).toBe(endpoint.origin);
        expect(url.pathname.startsWith(`${base}/`)).toBe(true);
      }
      expect(method).toBe('GET');
      expect(endpoint.href).toBe(new URL(text).href);
    }
  });

  it('refuses an endpoint that is not http', () => {
    const [operation] = provider.operations as [Operation];
    expect(() => provider.url(new URL('ftp://x.example'), provider.example, 'm', operation)).toThrow(
      InvalidTarget,
    );
  });

  it('never leaves host and base path, whatever model, deployment and api_version are', () => {
    const endpoint = new URL('https://safe.example:8443/base');
    const [operation] = provider.operations as [Operation];
    const plain = provider.url(endpoint, provider.example, 'm', operation);
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
            urls = [provider.url(endpoint, settings, b, operation), provider.probe(endpoint, settings).url];
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidTarget);
            return;
          }
          for (const url of urls) {
            expect(url.origin).toBe(endpoint.origin);
            expect(url.host).toBe('safe.example:8443');
            expect(url.username + url.password + url.hash).toBe('');
            expect(url.pathname.startsWith('/base/')).toBe(true);
            expect(new URL(url.href).href).toBe(url.href);
            expect([...url.searchParams.keys()]).toEqual([...plain.searchParams.keys()]);
          }
          expect(urls[0]?.pathname.split('/').length).toBe(plain.pathname.split('/').length);
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('the addresses', () => {
  it.each([
    ['openai', undefined, 'chat/completions', 'https://api.openai.com/v1/chat/completions'],
    ['anthropic', undefined, 'messages', 'https://api.anthropic.com/v1/messages'],
    [
      'anthropic',
      'https://a.example/v1/',
      'messages/count_tokens',
      'https://a.example/v1/messages/count_tokens',
    ],
    ['mistral', undefined, 'embeddings', 'https://api.mistral.ai/v1/embeddings'],
    ['ovhcloud', undefined, 'embeddings', 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1/embeddings'],
    ['berget', undefined, 'chat/completions', 'https://api.berget.ai/v1/chat/completions'],
    ['vllm', 'http://vllm:8000', 'chat/completions', 'http://vllm:8000/v1/chat/completions'],
    ['vllm', 'http://vllm:8000/v1', 'chat/completions', 'http://vllm:8000/v1/chat/completions'],
    ['vllm', 'http://vllm:8000/a/v1/', 'embeddings', 'http://vllm:8000/a/v1/embeddings'],
    [
      'azure',
      'https://r.openai.azure.com/',
      'chat/completions',
      'https://r.openai.azure.com/openai/deployments/gpt-4o-sweden/chat/completions?api-version=2024-10-21',
    ],
  ])('%s at %s, %s', (id, endpoint, operation, expected) => {
    const provider = findProvider(id) as Provider;
    const base = new URL(endpoint ?? (provider.defaultEndpoint as string));
    expect(provider.url(base, provider.example, 'any/model', operation as Operation).href).toBe(expected);
  });

  it('only anthropic has no embeddings', () => {
    const without = providers.filter(({ operations }) => !operations.includes('embeddings'));
    expect(without.map(({ id }) => id)).toEqual(['anthropic']);
  });
});

describe('azure deployments', () => {
  const azure = findProvider('azure') as Provider;

  it('are chosen by own entries of the map, else by the one name', () => {
    expect(azure.target(azure.example, 'gpt-4o-mini')).toBe('gpt-4o-mini-sweden');
    for (const model of ['gpt-4o', 'constructor', '__proto__', 'toString']) {
      expect(azure.target(azure.example, model)).toBe('gpt-4o-sweden');
    }
  });

  it.each(['evil.com#', '../x', 'a/b', '', '..', 'a b', 'a%2fb', 'x'.repeat(65), 'ok\n', undefined, 7])(
    'refuse the name %j, at PUT and when used',
    (name) => {
      const body = { ...azure.example, deployment_name: name, deployments: undefined };
      // A line break at the end is trimmed at PUT, so it is judged only where nothing trims: in the environment.
      if (name !== 'ok\n') expect(propertiesAtFault(azure, body)).toEqual(['deployment_name']);
      expect(() => azure.target(body, 'm')).toThrow(InvalidTarget);
      const map = { ...azure.example, deployments: { m: name } };
      expect(propertiesAtFault(azure, map)).toEqual(['deployments']);
      expect(() => azure.url(endpointOf(azure), map, 'm', 'embeddings')).toThrow(InvalidTarget);
    },
  );

  it.each(['2024-10-21&x=y', '', '../', 'x'.repeat(33), undefined])('refuse the version %j', (version) => {
    const body = { ...azure.example, api_version: version };
    expect(propertiesAtFault(azure, body)).toEqual(['api_version']);
    expect(() => azure.url(endpointOf(azure), body, 'm', 'embeddings')).toThrow(InvalidTarget);
    expect(() => azure.probe(endpointOf(azure), body)).toThrow(InvalidTarget);
  });

  it.each(['text', ['a'], 7, { 'a b': 'x' }, { '': 'x' }])('refuse the map %j', (deployments) => {
    expect(propertiesAtFault(azure, { ...azure.example, deployments })).toEqual(['deployments']);
  });

  it('tells network rules from a bad key', () => {
    expect(azure.isNetworkRuleRefusal?.('Access denied due to Virtual Network/Firewall rules.')).toBe(true);
    expect(azure.isNetworkRuleRefusal?.('Access denied due to invalid subscription key.')).toBe(false);
  });
});
