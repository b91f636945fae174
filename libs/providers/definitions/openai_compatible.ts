import { ApiKeyAndRequiredEndpointFields, apiKeyField, requiredEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/**
 * Any server that speaks OpenAI's format, at the address that the credential says. What it has of the operations is for
 * it to say, and so is whether its list of models needs a key: the probe knows no more than that.
 *
 * Of the global variables, the address belongs to the operator's key: a tenant's credential has its own, always.
 */
export const openaiCompatible = openAiCompatible({
  id: 'openai_compatible',
  label: 'OpenAI-compatible server',
  // The last three are names that Eneo's model files give to servers of this kind.
  prefixes: ['openai_like', 'custom_openai', 'gdm', 'infinity', 'klang'],
  families: [],
  credentialClass: ApiKeyAndRequiredEndpointFields,
  fields: [apiKeyField, requiredEndpointField],
  example: { api_key: 'not-a-real-server-key', endpoint: 'https://llm.example.com/v1' },
  apiKeyVariable: 'OPENAI_COMPATIBLE_API_KEY',
  operations: [
    'chat/completions',
    'completions',
    'embeddings',
    'responses',
    'audio/transcriptions',
    'audio/speech',
    'images/generations',
    'moderations',
  ],
  baseUrlVariables: ['OPENAI_COMPATIBLE_BASE_URL'],
});
