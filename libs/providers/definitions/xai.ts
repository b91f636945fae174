import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * https://docs.x.ai/developers/rest-api-reference/inference. Messages are not listed, because xAI has withdrawn them, and
 * speech is not, because it has a format of its own. The endpoint may be that of a region
 * (https://eu-west-1.api.x.ai/v1).
 */
export const xai = openAiCompatible({
  id: 'xai',
  label: 'xAI',
  families: [],
  ownModels: /^grok-/,
  defaultEndpoint: 'https://api.x.ai/v1',
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-xai-key', endpoint: 'https://api.x.ai/v1' },
  apiKeyVariable: 'XAI_API_KEY',
  operations: ['chat/completions', 'completions', 'responses', 'images/generations'],
  // "Set an additional chunk to be streamed [...]. The other chunks will return null in usage field."
  usageOption: ['chat/completions'],
  // The examples of the documentation allow reasoning models an hour.
  timeouts: { firstByteMs: 3_600_000 },
  // /models may be forbidden for a valid key; /api-key describes the key itself.
  probe: { path: 'api-key' },
  // A wrong key is refused with 400, "Incorrect API key provided: ...". 403 may also refuse an input that violates the usage
  // guidelines.
  isCredentialRefusal: (status, message) =>
    status === 401 ||
    (status === 400 && /\b(incorrect|invalid) API key/i.test(message)) ||
    (status === 403 && !/usage guidelines/i.test(message)),
  baseUrlVariables: ['XAI_BASE_URL'],
});
