/**
 * What Tenkey knows of each LLM provider: the fields of its credential, where it is, how it is spoken to.
 *
 * Guarantees: one file of catalogue/ says everything about one provider, and nothing outside names one; a URL always
 * keeps the endpoint's origin and stays below its path; keys go into headers only; no message of a refused field
 * repeats the value; a translated request drops no parameter silently.
 *
 * It opens no connection, reads no environment, injects nothing, and does not decide whether an address may be called.
 * OpenAI's format is passed on as it came, except for `model`; see also https://docs.anthropic.com/en/api/messages.
 */
export {
  decodeChat as decodeAnthropicChat,
  decodeErrorMessage as decodeAnthropicErrorMessage,
  encodeChat as encodeAnthropicChat,
  UnexpectedAnswer,
  UnsupportedParameter,
} from './dialects/anthropic';
export {
  AmbiguousModel,
  decodeErrorMessage as decodeOpenAiErrorMessage,
  spliceModel,
} from './dialects/openai';
export type {
  CredentialField,
  DialectName,
  GlobalVariables,
  Operation,
  Provider,
  Settings,
} from './provider';
export {
  defaultProvider,
  findProvider,
  providerOfFamily,
  providerOfPrefix,
  providerRequirements,
  providers,
} from './registry';
export { InvalidTarget } from './target-url';
