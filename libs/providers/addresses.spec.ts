import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import type { Operation, Provider } from './provider';
import { fixedProviders, ProviderRegistry } from './registry';
import { InvalidTarget, missingSegments } from './target-url';

const registry = new ProviderRegistry();

const propertiesAtFault = (provider: Provider, body: object) =>
  validateSync(plainToInstance(provider.credentialClass, body)).map(({ property }) => property);
const endpointOf = (provider: Provider) => new URL(provider.example.endpoint as string);

describe('addresses', () => {
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
    ['openai', undefined, 'audio/transcriptions', 'https://api.openai.com/v1/audio/transcriptions'],
    ['vllm', 'http://vllm:8000/', 'messages/count_tokens', 'http://vllm:8000/v1/messages/count_tokens'],
    ['vllm', 'http://gateway/llm', 'responses', 'http://gateway/llm/v1/responses'],
    [
      'gemini',
      undefined,
      'chat/completions',
      'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
    ],
    ['cohere', undefined, 'embeddings', 'https://api.cohere.ai/compatibility/v1/embeddings'],
    ['cohere', undefined, 'rerank', 'https://api.cohere.ai/v2/rerank'],
    ['vllm', 'http://vllm:8000', 'rerank', 'http://vllm:8000/v1/rerank'],
    ['scaleway', undefined, 'rerank', 'https://api.scaleway.ai/v1/rerank'],
    ['openai_compatible', 'https://llm.example/api', 'rerank', 'https://llm.example/api/rerank'],
    [
      'cohere',
      'https://gateway/compatibility/v1/',
      'chat/completions',
      'https://gateway/compatibility/v1/chat/completions',
    ],
    ['groq', undefined, 'audio/speech', 'https://api.groq.com/openai/v1/audio/speech'],
    ['deepseek', undefined, 'chat/completions', 'https://api.deepseek.com/chat/completions'],
    ['deepseek', undefined, 'messages', 'https://api.deepseek.com/anthropic/v1/messages'],
    ['openrouter', undefined, 'messages', 'https://openrouter.ai/api/v1/messages'],
    ['together', undefined, 'images/generations', 'https://api.together.ai/v1/images/generations'],
    ['xai', 'https://eu-west-1.api.x.ai/v1', 'responses', 'https://eu-west-1.api.x.ai/v1/responses'],
    [
      'scaleway',
      'https://api.scaleway.ai/5b1e/v1',
      'chat/completions',
      'https://api.scaleway.ai/5b1e/v1/chat/completions',
    ],
    ['openai_compatible', 'https://llm.example/api', 'moderations', 'https://llm.example/api/moderations'],
  ])('of %s with endpoint %s and operation %s are correct', (id, endpoint, operation, expected) => {
    const provider = registry.find(id) as Provider;
    const base = new URL(endpoint ?? (provider.defaultEndpoint as string));
    const target = id === 'azure' ? 'gpt-4o-sweden' : 'any/model';
    expect(provider.url(base, provider.example, target, operation as Operation).href).toBe(expected);
  });

  it('exist for embeddings of every provider except anthropic, groq, deepseek and xai', () => {
    const without = fixedProviders.filter(({ operations }) => !operations.includes('embeddings'));
    expect(without.map(({ id }) => id)).toEqual(['anthropic', 'groq', 'deepseek', 'xai']);
  });

  it.each([
    ['openai', 'https://api.openai.com/v1/models'],
    ['anthropic', 'https://api.anthropic.com/v1/models'],
    ['mistral', 'https://api.mistral.ai/v1/models'],
    ['ovhcloud', 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1/chat/completions'],
    ['berget', 'https://api.berget.ai/v1/chat/completions'],
    ['gemini', 'https://generativelanguage.googleapis.com/v1beta/openai/models'],
    ['cohere', 'https://api.cohere.ai/v1/models'],
    ['groq', 'https://api.groq.com/openai/v1/models'],
    ['deepseek', 'https://api.deepseek.com/models'],
    ['openrouter', 'https://openrouter.ai/api/v1/key'],
    ['together', 'https://api.together.ai/v1/models'],
    ['xai', 'https://api.x.ai/v1/api-key'],
    ['scaleway', 'https://api.scaleway.ai/v1/models'],
  ])('for the probe of %s are %s', (id, expected) => {
    const provider = registry.find(id) as Provider;
    const endpoint = new URL(provider.defaultEndpoint as string);
    expect(provider.probe(endpoint, provider.example).url.href).toBe(expected);
  });

  it.each([
    ['https://a.example', 'v1', ['v1']],
    ['https://a.example/v1', 'v1', []],
    ['https://a.example/x/v1//', 'v1', []],
    ['https://a.example/openai', 'openai/v1', ['v1']],
    ['https://a.example/openai/v1/', 'openai/v1', []],
    ['https://a.example/v1', 'openai/v1', ['openai', 'v1']],
    ['https://a.example/myopenai', 'openai/v1', ['openai', 'v1']],
    ['https://a.example/openai/openai', 'openai/v1', ['v1']],
  ])('for endpoint %s and path %s add %j', (endpoint, path, expected) =>
    expect(missingSegments(new URL(endpoint), path)).toEqual(expected),
  );
});

describe('refusals', () => {
  it.each([
    ['gemini', 400, 'API key not valid. Please pass a valid API key.', true],
    ['gemini', 400, 'API key expired. Please renew the API key.', true],
    ['gemini', 403, 'Your API key was reported as leaked. Please use another API key.', true],
    ['gemini', 400, 'Invalid JSON payload received. Unknown name "store": Cannot find field.', false],
    ['xai', 400, 'Incorrect API key provided: xa***gA. You can obtain an API key from the console.', true],
    ['xai', 400, 'Argument not supported on this model: stop', false],
    ['xai', 403, 'The API key is disabled.', true],
    ['xai', 403, 'Content violates usage guidelines. API key ID: 0b9d.', false],
    ['openai', 403, 'Project `proj_a` does not have access to model `gpt-5`', false],
    ['openai', 403, 'Your organization must be verified to stream this model.', false],
    ['openai', 403, 'You have insufficient permissions for this operation.', true],
    ['groq', 403, 'The model `gpt-oss` is blocked at the project level.', false],
    ['groq', 403, 'Forbidden', true],
    ['openrouter', 401, 'User not found.', true],
    ['openrouter', 403, 'Input was flagged.', false],
    ['together', 403, 'Input token count + max_tokens is more than the context.', false],
  ])('by %s with %i, %j concern the key: %s', (id, status, message, expected) =>
    expect(registry.find(id)?.isCredentialRefusal?.(status, message)).toBe(expected),
  );

  it.each([
    ['azure', 'Access denied due to Virtual Network/Firewall rules.', true],
    ['azure', 'Public access is disabled. Please configure private endpoint.', true],
    ['azure', 'Access denied due to invalid subscription key or wrong API endpoint.', false],
    ['azure', 'Key based authentication is disabled for this resource.', false],
    ['openai', 'IP not authorized', true],
    ['openai', 'Your request IP does not match the configured IP allowlist for your project.', true],
    ['openai', 'Incorrect API key provided: sk-...', false],
    ['gemini', 'The provided API key has an IP address restriction.', true],
  ])('by %s with %j concern network rules: %s', (id, message, expected) =>
    expect(registry.find(id)?.isNetworkRuleRefusal?.(message)).toBe(expected),
  );
});

describe('Azure deployments', () => {
  const azure = registry.find('azure') as Provider;
  const targetOf = (settings: object, upstreamModel: string) =>
    azure.target({ ...settings }, { name: 'any-name', upstreamModel }).target;

  it('are found in the map or else by deployment_name', () => {
    expect(targetOf(azure.example, 'gpt-4o-mini')).toBe('gpt-4o-mini-sweden');
    for (const model of ['gpt-4o', 'constructor', '__proto__', 'toString']) {
      expect(targetOf(azure.example, model)).toBe('gpt-4o-sweden');
    }
  });

  it.each([
    [{ name: 'eu', upstreamModel: 'gpt' }, 'by-upstream-model', 'deployments'],
    [{ name: 'own', upstreamModel: 'gpt' }, 'by-name', 'deployments'],
    [{ name: 'own', upstreamModel: 'gpt', deploymentName: 'of-catalogue' }, 'by-name', 'deployments'],
    [{ name: 'a', upstreamModel: 'b', deploymentName: 'of-catalogue' }, 'of-catalogue', 'catalogue'],
    [{ name: 'a', upstreamModel: 'b' }, 'usual', 'deployment_name'],
  ])('of the model %j are chosen by the most specific rule: %s, by %s', (model, target, from) => {
    const deployments = { own: 'by-name', gpt: 'by-upstream-model' };
    const settings = { ...azure.example, deployment_name: 'usual', deployments };
    expect(azure.target(settings, model)).toEqual({ target, from });
  });

  it('are refused when the catalogue names an invalid one', () => {
    const model = { name: 'm', upstreamModel: 'm', deploymentName: '../x' };
    expect(() => azure.target({ ...azure.example }, model)).toThrow(InvalidTarget);
  });

  it.each(['evil.com#', '../x', 'a/b', '', '..', 'a b', 'a%2fb', 'x'.repeat(65), 'ok\n', undefined, 7])(
    'with the name %j are refused by PUT and when used',
    (name) => {
      const body = { ...azure.example, deployment_name: name, deployments: undefined };
      // PUT trims a line break at the end, so only a name from the environment can have one.
      if (name !== 'ok\n') expect(propertiesAtFault(azure, body)).toEqual(['deployment_name']);
      expect(() => targetOf(body, 'm')).toThrow(InvalidTarget);
      const map = { ...azure.example, deployments: { m: name } };
      expect(propertiesAtFault(azure, map)).toEqual(['deployments']);
      expect(() => targetOf(map, 'm')).toThrow(InvalidTarget);
    },
  );

  it.each([
    ['2024-10-21', '', 'chat/completions', '/openai/deployments/d/chat/completions?api-version=2024-10-21'],
    ['2025-04-01-preview', '', 'responses', '/openai/responses?api-version=2025-04-01-preview'],
    ['2024-10-21', '/openai', 'embeddings', '/openai/deployments/d/embeddings?api-version=2024-10-21'],
    [
      '2024-10-21',
      '/openai/',
      'images/generations',
      '/openai/deployments/d/images/generations?api-version=2024-10-21',
    ],
    ['v1', '', 'chat/completions', '/openai/v1/chat/completions'],
    ['v1', '/openai', 'audio/transcriptions', '/openai/v1/audio/transcriptions'],
    ['v1', '/openai/v1/', 'responses', '/openai/v1/responses'],
    ['preview', '', 'audio/speech', '/openai/v1/audio/speech?api-version=preview'],
    ['preview', '/openai/v1', 'responses', '/openai/v1/responses?api-version=preview'],
    ['2024-10-21', '/openai/v1', 'chat/completions', '/openai/v1/chat/completions'],
    ['v1', '/gateway', 'completions', '/gateway/openai/v1/completions'],
  ])(
    'with version %s, path %j and operation %s have the address %s',
    (api_version, path, operation, expected) => {
      for (const host of ['r.openai.azure.com', 'r.cognitiveservices.azure.com', 'r.services.ai.azure.com']) {
        const settings = {
          ...azure.example,
          endpoint: `https://${host}${path}`,
          api_version,
          deployment_name: 'd',
        };
        expect(propertiesAtFault(azure, settings)).toEqual([]);
        const url = azure.url(new URL(settings.endpoint), settings, 'd', operation as Operation);
        expect(url.href).toBe(`https://${host}${expected}`);
        expect(targetOf(settings, 'm')).toBe('d');
        const models = expected.includes('/v1/') ? '/openai/v1/models' : '/openai/models';
        const probe = azure.probe(new URL(settings.endpoint), settings).url;
        expect(probe.pathname.endsWith(models)).toBe(true);
        expect(probe.search).toBe(url.search);
      }
    },
  );

  it.each(['2024-10-21&x=y', '', '../', 'x'.repeat(33), undefined])(
    'with the version %j are refused',
    (version) => {
      const body = { ...azure.example, api_version: version };
      expect(propertiesAtFault(azure, body)).toEqual(['api_version']);
      expect(() => azure.url(endpointOf(azure), body, 'm', 'embeddings')).toThrow(InvalidTarget);
      expect(() => azure.probe(endpointOf(azure), body)).toThrow(InvalidTarget);
    },
  );

  it.each(['text', ['a'], 7, { 'a b': 'x' }, { '': 'x' }])('with the map %j are refused', (deployments) => {
    expect(propertiesAtFault(azure, { ...azure.example, deployments })).toEqual(['deployments']);
  });

  it('distinguish network rules from an invalid key', () => {
    expect(azure.isNetworkRuleRefusal?.('Access denied due to Virtual Network/Firewall rules.')).toBe(true);
    expect(azure.isNetworkRuleRefusal?.('Access denied due to invalid subscription key.')).toBe(false);
  });
});
