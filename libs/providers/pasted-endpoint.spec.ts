import 'reflect-metadata';
import { contradictingFields, cutEndpoint } from './pasted-endpoint';
import { ProviderRegistry } from './registry';

const registry = new ProviderRegistry();
const azure = 'https://r.openai.azure.com';

describe('a pasted endpoint', () => {
  it.each([
    ['vllm', 'http://vllm:8000/v1/chat/completions', 'http://vllm:8000/v1', {}],
    ['vllm', 'http://vllm:8000/chat/completions/', 'http://vllm:8000', {}],
    ['vllm', 'http://vllm:8000//v1/', 'http://vllm:8000/v1', {}],
    ['vllm', 'http://vllm:8000//v1//completions', 'http://vllm:8000/v1', {}],
    ['vllm', 'http://vllm:8000/v1/models', 'http://vllm:8000/v1', {}],
    ['openai_compatible', 'https://a.example/api/embeddings', 'https://a.example/api', {}],
    ['openai_compatible', 'https://a.example/v1/audio/transcriptions', 'https://a.example/v1', {}],
    ['openai', 'https://api.openai.com/v1/responses', 'https://api.openai.com/v1', {}],
    ['openai', 'https://a.example//', 'https://a.example', {}],
    [
      'azure',
      `${azure}/openai/deployments/gpt-5-eu/chat/completions?api-version=2025-01-01-preview`,
      azure,
      { deployment_name: 'gpt-5-eu', api_version: '2025-01-01-preview' },
    ],
    ['azure', `${azure}/openai/deployments/d`, azure, { deployment_name: 'd' }],
    ['azure', `${azure}//openai//deployments/d/embeddings`, azure, { deployment_name: 'd' }],
    ['azure', `${azure}/?api-version=2024-10-21`, azure, { api_version: '2024-10-21' }],
    ['azure', `${azure}/openai/responses?api-version=preview`, `${azure}/openai`, { api_version: 'preview' }],
    ['azure', `${azure}/openai/v1/chat/completions`, `${azure}/openai/v1`, {}],
    [
      'azure',
      `https://gw.example/llm/openai/deployments/d/x`,
      'https://gw.example/llm',
      { deployment_name: 'd' },
    ],
    ['azure', `${azure}/openai/deployments/%zz/chat/completions`, azure, { deployment_name: '%zz' }],
  ])('of %s, %s, is cut to %s, and says %j', (id, text, endpoint, fields) => {
    expect(cutEndpoint(text, registry.find(id))).toEqual({ endpoint, fields });
    // What was cut is not cut again.
    expect(cutEndpoint(endpoint, registry.find(id))).toBeUndefined();
  });

  it.each([
    ['vllm', 'http://vllm:8000'],
    ['vllm', 'http://vllm:8000/v1/'],
    ['vllm', 'http://vllm:8000/models'],
    ['vllm', 'http://vllm:8000/my-embeddings'],
    ['vllm', 'http://vllm:8000/v1/chat/completions?x=y'],
    ['vllm', 'http://user@vllm:8000/v1/chat/completions'],
    ['vllm', 'http://vllm:8000/v1/chat/completions#a'],
    ['vllm', 'vllm:8000/v1/chat/completions'],
    ['azure', azure],
    ['azure', `${azure}/openai/`],
    ['azure', `${azure}/openai/v1/`],
    ['azure', `${azure}/openai/deployments/d/chat/completions?api-version=1&x=y`],
    ['azure', ''],
  ])('of %s, %s, is left to the rules of the field', (id, text) => {
    expect(cutEndpoint(text, registry.find(id))).toBeUndefined();
  });

  it('contradicts a credential that names another version or deployment', () => {
    const pasted = { endpoint: azure, fields: { api_version: '2024-10-21', deployment_name: 'd' } };
    expect(contradictingFields(pasted, {})).toEqual([]);
    expect(contradictingFields(pasted, { api_version: ' 2024-10-21 ', deployment_name: 'd' })).toEqual([]);
    expect(contradictingFields(pasted, { api_version: 'v1', deployment_name: 'e' })).toEqual([
      'api_version',
      'deployment_name',
    ]);
    expect(contradictingFields(pasted, { deployment_name: 'e', deployments: { 'gpt-5': 'd' } })).toEqual([]);
    expect(contradictingFields(undefined, { deployment_name: 'e' })).toEqual([]);
  });
});
