import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { Secret } from '#crypto';
import { declaredProvider, faultOfProviderId } from './declared-provider';
import { declarableKinds, operations, type Provider } from './provider';
import { fixedProviders, ProviderRegistry } from './registry';
import { InvalidTarget } from './target-url';

/** One of each kind that a catalogue may declare, with an address in the catalogue and without. */
const declared = declarableKinds.flatMap((kind) => [
  declaredProvider({ id: `own-${kind}`, kind, label: 'Our own' }),
  declaredProvider({ id: `${kind}_2`, kind, label: 'Known', endpoint: 'https://llm.example.com/v1' }),
]);
const registry = new ProviderRegistry(declared);
const all = [...fixedProviders, ...declared];

const key = 'sentinel-key-7f3a9c';

const faultsOf = (provider: Provider, body: object) =>
  validateSync(plainToInstance(provider.credentialClass, body)).map(({ property, constraints }) => ({
    property,
    text: Object.values(constraints ?? {}).join(' '),
  }));
const propertiesAtFault = (provider: Provider, body: object) =>
  faultsOf(provider, body).map((fault) => fault.property);
const endpointOf = (provider: Provider) =>
  new URL(provider.defaultEndpoint ?? (provider.example.endpoint as string));
/** Parameters without which the response would be a different one. */
const essentialParameters =
  'model messages input file n stream tools functions modalities dimensions response_format previous_response_id'.split(
    ' ',
  );
/** Headers that choose who pays, or belong to the connection. They must not be forwarded. */
const forbiddenHeaders =
  /^(authorization|proxy-.*|cookie|host|connection|content-.*|transfer-encoding|x-tenant-id|(x-)?api-key|openai-(organization|project))$/;

/** Strings of parts that could send a key to another host, mixed with random ones. */
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

describe.each(all.map((provider) => [provider.id, provider] as const))('%s', (_id, provider) => {
  it('is frozen and found by its id', () => {
    expect(Object.isFrozen(provider)).toBe(true);
    expect(registry.find(provider.id)).toBe(provider);
    expect(faultOfProviderId(provider.id)).toBeUndefined();
    expect(provider.label).not.toBe('');
  });

  it('has at least one operation, and lists each once in the common order', () => {
    expect(provider.operations.length).toBeGreaterThan(0);
    expect(provider.operations).toEqual(operations.filter((each) => provider.operations.includes(each)));
  });

  it('has only differences that can be applied to a request', () => {
    for (const [operation, { renamed = {}, unsupported = [] }] of Object.entries(
      provider.differences ?? {},
    )) {
      expect(provider.operations).toContain(operation);
      const names = [...Object.keys(renamed), ...Object.values(renamed), ...unsupported];
      expect(names).toEqual([...new Set(names)]);
      for (const name of names) expect(name).toMatch(/^[a-z][a-z_]*$/);
      for (const name of essentialParameters) {
        expect(unsupported).not.toContain(name);
      }
    }
  });

  it('has the usage option only for operations of its own whose format defines it', () => {
    for (const operation of operations) {
      if (provider.hasUsageOption?.(operation, provider.example, () => ({ stream: true })) !== true) continue;
      expect(provider.operations).toContain(operation);
      expect(['chat/completions', 'completions']).toContain(operation);
      expect(provider.differences?.[operation]?.unsupported ?? []).not.toContain('stream_options');
    }
  });

  it('has timeouts of at most an hour', () => {
    for (const milliseconds of Object.values(provider.timeouts ?? {})) {
      expect(Number.isInteger(milliseconds)).toBe(true);
      expect(milliseconds).toBeGreaterThan(0);
      expect(milliseconds).toBeLessThanOrEqual(3_600_000);
    }
  });

  it('forwards no header that carries a key or chooses who pays', () => {
    const keyHeaders = Object.entries(provider.headers(new Secret(key), provider.example))
      .filter(([, value]) => value.includes(key))
      .map(([name]) => name);
    const passed = provider.passedRequestHeaders ?? [];
    expect(passed).toEqual([...new Set(passed)]);
    expect(passed).toEqual(expect.arrayContaining([...(provider.modelHeaders ?? [])]));
    for (const name of passed) {
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(keyHeaders).not.toContain(name);
      expect(name).not.toMatch(forbiddenHeaders);
    }
  });

  it('verifies a key by a free request', () => {
    const { method, url, body } = provider.probe(endpointOf(provider), provider.example);
    expect(method).toBe(body === undefined ? 'GET' : 'POST');
    if (body === undefined) return;
    expect(url.pathname.endsWith('/chat/completions')).toBe(true);
    expect(JSON.parse(body)).toMatchObject({ model: 'no-such-model-credential-check', max_tokens: 1 });
  });

  it('distinguishes the refusal of a key from other errors', () => {
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

  it('accepts its own example, and whitespace around the key', () => {
    expect(faultsOf(provider, provider.example)).toEqual([]);
    const padded = { ...provider.example, api_key: ` ${key}\n` };
    expect(faultsOf(provider, padded)).toEqual([]);
    expect(plainToInstance(provider.credentialClass, padded)).toMatchObject({ api_key: key });
  });

  it('requires exactly the fields that it lists as required', () => {
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

  const shortKeys: [string, unknown][] = [
    ['short', 'q7Zk2Xw'],
    ['short after trimming', '   q7Zk2   '],
  ];
  // A server of one's own often takes any key.
  const isOwnServer = /vllm|openai_compatible/.test(provider.id);

  it.each<[string, unknown]>([
    ['empty', '   '],
    ...(isOwnServer ? [] : shortKeys),
    ['too long', 'q7Zk2Xw'.repeat(1500)],
    ['a mask', '...q7Zk'],
    ['a longer mask', '...q7Zk2'],
    ['a mask as in logs', '[secret ...q7Zk]'],
    ['a mask of four astral characters', '...\u{1F600}\u{1F601}\u{1F602}\u{1F603}'],
    ['not ASCII', 'q7Zk2Xw-ä-q7Zk2Xw'],
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

  it.each([
    ['Bearer q7Zk2Xw-q7Zk2Xw', 'must not begin with "Bearer"'],
    ['bearer\tq7Zk2Xw-q7Zk2Xw', 'must not begin with "Bearer"'],
    ['Authorization: Bearer q7Zk2Xw-q7Zk2Xw', 'must not begin with the name of a header'],
    ['x-api-key:q7Zk2Xw-q7Zk2Xw', 'must not begin with the name of a header'],
    ['export OPENAI_API_KEY=q7Zk2Xw-q7Zk2Xw', 'must not begin with the name of a header or a variable'],
    ['$q7Zk_API_KEY'.toUpperCase(), 'a shell replaces variables only inside double quotes'],
    ['${q7Zk_api_key}', 'a shell replaces variables only inside double quotes'],
    ['$(cat q7Zk)', 'a shell replaces variables only inside double quotes'],
    ['{{ q7Zk_api_key }}', 'is a placeholder or a variable'],
    ['<q7Zk key>', 'is a placeholder or a variable'],
    ['sk-...q7Zk', 'looks like the mask of a key'],
    ['sk-q7Zk****q7Zk', 'looks like the mask of a key'],
    ['"q7Zk2Xw-q7Zk2Xw"', 'must not be in quotes'],
    ["'q7Zk2Xw-q7Zk2Xw'", 'must not be in quotes'],
    ['q7Zk2Xw-q7Zk2Xw"', 'must not be in quotes'],
    ['q7Zk2Xw\u200bq7Zk2Xw', 'has an invisible character inside'],
    ['q7Zk2Xw\u00a0q7Zk2Xw', 'has an invisible character inside'],
    ['q7Zk2Xw\u2028q7Zk2Xw', 'has an invisible character inside'],
  ])('names the mistake in the key %j, without repeating it', (value, mistake) => {
    const text = JSON.stringify(faultsOf(provider, { ...provider.example, api_key: value }));
    expect(text).toContain(mistake.replaceAll('"', '\\"'));
    expect(text).not.toContain('q7Zk');
  });

  if (isOwnServer) {
    it('accepts a placeholder in place of a key', () => {
      for (const api_key of ['EMPTY', 'x']) {
        expect(faultsOf(provider, { ...provider.example, api_key })).toEqual([]);
      }
    });
  }

  it.each(['...q7Zk2X', '$q7Zk2Xw', 'q7Zk2Xw==', 'the-token=', 'key: q7Zk2Xw', 'q7Zk..2Xw***', '%q7Zk2Xw'])(
    'accepts the key %s, which only looks like a mistake',
    (value) => expect(faultsOf(provider, { ...provider.example, api_key: value })).toEqual([]),
  );

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

  it('puts the key only into headers, with names in lower case', () => {
    const headers = provider.headers(new Secret(key), provider.example);
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

  it('keeps the host and the base path for any model, deployment and api_version', () => {
    const endpoint = new URL('https://safe.example:8443/base');
    const targetOf = (settings: object, upstreamModel: string) =>
      provider.target({ ...settings }, { name: 'm', upstreamModel }).target;
    const addressesFor = (settings: object, model: string) => [
      ...provider.operations.map((each) =>
        provider.url(endpoint, { ...settings }, targetOf(settings, model), each),
      ),
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
          const misdirected = urls.filter((url, index) => {
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
          expect(misdirected).toEqual([]);
        },
      ),
      { numRuns: 400 },
    );
  });
});
