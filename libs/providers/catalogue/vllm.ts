import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';
import { versionSegments } from '../target-url';

export const vllm = openAiCompatible({
  id: 'vllm',
  label: 'vLLM',
  families: ['vllm'],
  prefixes: ['hosted_vllm'],
  baseSegments: (endpoint) => versionSegments(endpoint, 'v1'),
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-vllm-key', endpoint: 'http://vllm.models.svc.cluster.local:8000' },
  apiKeyVariable: 'VLLM_API_KEY',
  operations: ['chat/completions', 'embeddings'],
  baseUrlVariables: ['VLLM_MODEL_URL'],
});
