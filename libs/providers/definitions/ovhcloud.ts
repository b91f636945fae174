import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible, unknownModelProbe } from '../openai-compatible';

/**
 * https://docs.ovhcloud.com/en/guides/public-cloud/ai-machine-learning (AI Endpoints): getting started, speech to text,
 * Responses API. A few requests per minute need no key, including the list of models; an invalid key is refused with 403.
 * Which parameters /responses ignores depends on the model, so none is left out.
 */
export const ovhcloud = openAiCompatible({
  id: 'ovhcloud',
  label: 'OVHcloud',
  families: ['ovhcloud'],
  defaultEndpoint: 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1',
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: {
    api_key: 'not-a-real-ovhcloud-key',
    endpoint: 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1',
  },
  apiKeyVariable: 'OVHCLOUD_API_KEY',
  operations: ['chat/completions', 'completions', 'embeddings', 'responses', 'audio/transcriptions'],
  // The guides have only max_tokens.
  differences: { 'chat/completions': { renamed: { max_completion_tokens: 'max_tokens' } } },
  probe: unknownModelProbe,
  baseUrlVariables: ['OVHCLOUD_BASE_URL'],
});
