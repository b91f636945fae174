/**
 * What Tenkey knows of each LLM provider: the fields of its credential, where it is, how it is spoken to.
 *
 * Guarantees: one file of definitions/ says everything about one provider, and nothing outside names one; a URL always
 * keeps the endpoint's origin and stays below its path; keys go into headers only; no message of a refused field
 * repeats the value; a translation names every parameter that it leaves out, unless that changes no answer.
 *
 * It opens no connection, reads no environment, injects nothing, and does not decide whether an address may be called.
 * OpenAI's format is passed on as it came, except for `model`, a provider's documented differences, and that it may be asked
 * for the usage of a stream; what becomes of a request that is translated is in docs/anthropic-dialect.md. What a file says
 * of a provider is from the documentation it names.
 */
export { refusing, Trimmed } from './credential-fields';
export { TooManyParameters } from './dialects/json-members';
export { reasoningBeside } from './dialects/reasoning-beside';
export { type Service, serviceOf } from './dialects/service';
export { AmbiguousModel, spliceRequest } from './dialects/splice-request';
export {
  type Json,
  type StreamEvent,
  StreamFault,
  type StreamTranslator,
  type Translation,
  type TranslationContext,
  UnexpectedAnswer,
  UnsupportedParameter,
} from './dialects/translation';
export { unaskedData } from './dialects/unasked-usage';
export { operations } from './provider';
export type {
  CredentialField,
  GlobalVariables,
  Operation,
  Probe,
  Provider,
  RequestDifferences,
  Settings,
  Timeouts,
} from './provider';
export {
  defaultProvider,
  findProvider,
  providerOfFamily,
  providerOfPrefix,
  providerOperations,
  providerRequirements,
  providers,
} from './registry';
export { InvalidTarget } from './target-url';
