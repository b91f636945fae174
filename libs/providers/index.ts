/**
 * What Tenkey knows about each LLM provider: the fields of its credential, its address, and the format of its requests
 * and responses.
 *
 * Guarantees: each file in definitions/ describes one provider completely, based on the documentation that it names, and
 * no code elsewhere names a provider. A provider that a catalogue declares behaves like one that has a file. A URL keeps the
 * origin of its endpoint and stays below the endpoint's path. Keys go into headers only. The message about an invalid field
 * never repeats the value. A translation names each parameter that it leaves out, unless leaving it out changes no response
 * (docs/anthropic-dialect.md, docs/responses-dialect.md). A request in the provider's own format keeps its bytes, except for
 * `model`, the differences that the provider documents, nulls that no provider documents, and an added request for the usage of
 * a stream. A response in that format keeps its bytes, except for content in parts, and vectors in an encoding that the request
 * did not ask for.
 *
 * Does not: open connections, read the environment, provide injectables, or decide whether an address may be called.
 */
export { faultOfEndpoint, HasNoFault, Trimmed } from './credential-fields';
export { correctionOf } from './dialects/corrections';
export { type Correction } from './dialects/corrections/correction';
export {
  type Member,
  scanObject,
  scanSteps,
  type ScannedObject,
  skipWhitespace,
  TooDeeplyNested,
  TooManyParameters,
} from './dialects/json/json-members';
export { jsonText, parseJson } from './dialects/json/json-numbers';
export { endOfScalar, endOfString, textOf, wordsOf } from './dialects/json/json-scalars';
export { NameWatch } from './dialects/json/name-watch';
export { concernMessages } from './dialects/message-differences';
export { reasoningOutsideOutput, eventDataWithoutUsage, usageName } from './dialects/openai-usage';
export { serviceOf } from './dialects/service';
export { AmbiguousModel, spliceRequest } from './dialects/splice-request';
export {
  type Json,
  type StreamEvent,
  type StreamTranslator,
  type Translation,
  type TranslationContext,
  UnexpectedResponse,
  UnsupportedParameter,
} from './dialects/translation';
export { describeFields, type FieldDescription } from './field-descriptions';
export { declarableKinds, neverNull, operations, targetSources } from './provider';
export type {
  CalledModel,
  CredentialField,
  DeclarableKind,
  GlobalVariables,
  Operation,
  Probe,
  Provider,
  RequestDifferences,
  Settings,
  StoredResponseOperation,
  TargetSource,
  Timeouts,
} from './provider';
export { declaredProvider, faultOfProviderId, isTakenId } from './declared-provider';
export { contradictingFields, cutEndpoint } from './pasted-endpoint';
export { defaultProvider, fixedProviders, modelHeaders, ProviderRegistry } from './registry';
export { InvalidTarget, urlBelow } from './target-url';
