import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

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
  operations: ['chat/completions', 'embeddings'],
  baseUrlVariables: ['OVHCLOUD_BASE_URL'],
});
