import { ApiKeyAndEndpointFields, apiKeyField, optionalEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

/** https://platform.openai.com/docs/api-reference */
export const openai = openAiCompatible({
  id: 'openai',
  label: 'OpenAI',
  prefixes: ['text-completion-openai'],
  families: ['openai'],
  isDefault: true,
  defaultEndpoint: 'https://api.openai.com/v1',
  credentialClass: ApiKeyAndEndpointFields,
  fields: [apiKeyField, optionalEndpointField],
  example: { api_key: 'not-a-real-openai-key', endpoint: 'https://api.openai.com/v1' },
  apiKeyVariable: 'OPENAI_API_KEY',
  operations: [
    'chat/completions',
    'completions',
    'embeddings',
    'responses',
    'audio/transcriptions',
    'audio/translations',
    'audio/speech',
    'images/generations',
    'images/edits',
    'moderations',
  ],
  usageOption: ['chat/completions', 'completions'],
  // Without openai-organization and openai-project, because a client must not choose who pays within the account.
  passedRequestHeaders: ['openai-beta', 'x-client-request-id'],
  // https://platform.openai.com/docs/guides/error-codes: 401, "IP not authorized", for an address that is not on the allowlist.
  isNetworkRuleRefusal: (message) => /\bIP (is )?not authorized|\bIP allow-?list/i.test(message),
  baseUrlVariables: ['OPENAI_BASE_URL'],
});
