import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * https://docs.x.ai/developers/rest-api-reference/inference. Not listed: messages, which are withdrawn, and speech, which
 * has a format of its own. The endpoint may be a region's, https://eu-west-1.api.x.ai/v1.
 */
export const xai = openAiCompatible({
  id: 'xai',
  label: 'xAI',
  families: [],
  defaultEndpoint: 'https://api.x.ai/v1',
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-xai-key', endpoint: 'https://api.x.ai/v1' },
  apiKeyVariable: 'XAI_API_KEY',
  operations: ['chat/completions', 'completions', 'responses', 'images/generations'],
  // "Set an additional chunk to be streamed [...]. The other chunks will return null in usage field."
  usageOption: ['chat/completions'],
  // Its examples give reasoning models an hour.
  timeouts: { firstByteMs: 3_600_000 },
  // It describes the key itself; /models may be closed to a key that is otherwise good.
  probe: { path: 'api-key' },
  // A wrong key is 400, "Incorrect API key provided: ..."; 403 is also an input that violates the usage guidelines.
  isCredentialRefusal: (status, message) =>
    status === 401 ||
    (status === 400 && /\b(incorrect|invalid) API key/i.test(message)) ||
    (status === 403 && !/usage guidelines/i.test(message)),
  baseUrlVariables: ['XAI_BASE_URL'],
});
