import { ServerKeyAndEndpointFields, apiKeyField, requiredEndpointField } from '../credential-fields';
import { openAiCompatible } from '../openai-compatible';

const translatedChat = {
  // Ollama and llama.cpp ignore the new name of the limit.
  renamed: { max_completion_tokens: 'max_tokens' },
  // Kimi and DeepSeek refuse a turn with tools whose thinking is missing; most other servers ignore the field:
  // https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model, https://api-docs.deepseek.com/guides/thinking_mode
  thinkingField: 'reasoning_content',
} as const;

/**
 * Any server that uses OpenAI's format, at the address in the credential. It may lack some of the operations. The probe
 * requests its list of models; if that is public, the probe cannot show whether the key is valid.
 *
 * OPENAI_COMPATIBLE_BASE_URL belongs to the operator's key. A tenant's credential always has its own endpoint.
 */
export const openaiCompatible = openAiCompatible({
  id: 'openai_compatible',
  label: 'OpenAI-compatible server',
  prefixes: ['openai_like', 'custom_openai'],
  // Names for such servers in Eneo's model files.
  declarablePrefixes: ['gdm', 'infinity', 'klang'],
  families: [],
  credentialClass: ServerKeyAndEndpointFields,
  fields: [apiKeyField, requiredEndpointField],
  example: { api_key: 'not-a-real-server-key', endpoint: 'https://llm.example.com/v1' },
  apiKeyVariable: 'OPENAI_COMPATIBLE_API_KEY',
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
    'rerank',
  ],
  // A client of chat/completions chooses its parameters and fields itself.
  differencesFor: (operation, _, isTranslated) =>
    operation === 'chat/completions' && isTranslated ? translatedChat : undefined,
  // Databricks, and gateways in front of Mistral.
  hasContentParts: true,
  baseUrlVariables: ['OPENAI_COMPATIBLE_BASE_URL'],
});
