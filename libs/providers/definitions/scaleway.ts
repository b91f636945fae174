import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * https://www.scaleway.com/en/docs/generative-apis; the pages on each API list what they do not support. A key that does
 * not exist is 403. The endpoint may be a project's, https://api.scaleway.ai/<project>/v1, or a dedicated deployment's,
 * https://<deployment>.ifr.fr-par.scaleway.com/v1.
 */
export const scaleway = openAiCompatible({
  id: 'scaleway',
  label: 'Scaleway',
  families: [],
  defaultEndpoint: 'https://api.scaleway.ai/v1',
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-scaleway-key', endpoint: 'https://api.scaleway.ai/v1' },
  apiKeyVariable: 'SCW_SECRET_KEY',
  operations: ['chat/completions', 'embeddings', 'responses', 'audio/transcriptions'],
  differences: {
    'chat/completions': { unsupported: ['frequency_penalty', 'logit_bias', 'top_logprobs', 'user'] },
  },
  // Among the supported parameters of its page on the Chat API.
  usageOption: ['chat/completions'],
  baseUrlVariables: ['SCALEWAY_BASE_URL'],
});
