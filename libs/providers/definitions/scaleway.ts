import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * https://www.scaleway.com/en/docs/generative-apis, where the page of each API lists what it does not support. An unknown
 * key is refused with 403. The endpoint may be that of a project (https://api.scaleway.ai/<project>/v1) or of a dedicated
 * deployment (https://<deployment>.ifr.fr-par.scaleway.com/v1).
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
  operations: ['chat/completions', 'embeddings', 'responses', 'audio/transcriptions', 'rerank'],
  differences: {
    'chat/completions': { unsupported: ['frequency_penalty', 'logit_bias', 'top_logprobs', 'user'] },
  },
  // The page on the Chat API lists `stream_options` as supported.
  usageOption: ['chat/completions'],
  baseUrlVariables: ['SCALEWAY_BASE_URL'],
});
