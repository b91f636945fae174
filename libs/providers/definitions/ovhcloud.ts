import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible, unknownModelProbe } from '../openai-compatible';

/**
 * https://docs.ovhcloud.com/en/guides/public-cloud/ai-machine-learning (AI Endpoints): getting started, speech to text,
 * Responses API. It answers a few calls a minute without any key, the list of models too; a key that is given and not
 * valid is refused with 403. What /responses ignores differs by model, so nothing is left out.
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
  // Its guides know max_tokens alone.
  differences: { 'chat/completions': { renamed: { max_completion_tokens: 'max_tokens' } } },
  probe: unknownModelProbe,
  baseUrlVariables: ['OVHCLOUD_BASE_URL'],
});
