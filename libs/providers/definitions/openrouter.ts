import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * https://openrouter.ai/docs/api/reference and the OpenAPI document of its SDKs. GET /models is public; GET /key needs the
 * key. Images are not listed, because they have a format of their own. The endpoint in the EU is
 * https://eu.openrouter.ai/api/v1.
 */
export const openrouter = openAiCompatible({
  id: 'openrouter',
  label: 'OpenRouter',
  families: [],
  defaultEndpoint: 'https://openrouter.ai/api/v1',
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-openrouter-key', endpoint: 'https://openrouter.ai/api/v1' },
  apiKeyVariable: 'OPENROUTER_API_KEY',
  operations: [
    'chat/completions',
    'embeddings',
    'responses',
    'audio/transcriptions',
    'audio/speech',
    'messages',
  ],
  differences: {
    // "Requests that set store: true [...] are rejected with a 400 error."
    responses: { unsupported: ['store'] },
  },
  // They name the calling application in OpenRouter's statistics.
  passedRequestHeaders: ['http-referer', 'x-title'],
  probe: { path: 'key' },
  // https://openrouter.ai/docs/api/reference/errors-and-debugging: 403 means that the moderation refused the input.
  isCredentialRefusal: (status) => status === 401,
  baseUrlVariables: ['OPENROUTER_BASE_URL'],
});
