import {
  defaultProvider,
  type Operation,
  operations,
  type Provider,
  type ProviderRegistry,
} from '#providers';

/** The kinds of models. Each has its own section in ai_models.yml, `<kind>_models`. */
export const modelKinds = [
  'completion',
  'embedding',
  'transcription',
  'speech',
  'image',
  'moderation',
  'rerank',
] as const;
export type ModelKind = (typeof modelKinds)[number];

/** The kind of model that serves each operation. */
export const kindOf: Readonly<Record<Operation, ModelKind>> = {
  'chat/completions': 'completion',
  completions: 'completion',
  embeddings: 'embedding',
  responses: 'completion',
  'audio/transcriptions': 'transcription',
  'audio/translations': 'transcription',
  'audio/speech': 'speech',
  'images/generations': 'image',
  'images/edits': 'image',
  moderations: 'moderation',
  rerank: 'rerank',
  messages: 'completion',
  'messages/count_tokens': 'completion',
};

/** The operations that models of a kind serve, the usual one first. */
export function operationsOfKind(kind: ModelKind): Operation[] {
  return operations.filter((operation) => kindOf[operation] === kind);
}

/** One entry of ai_models.yml. Fields that Tenkey does not use are kept unchanged. */
export interface Model {
  readonly name: string;
  readonly kind: ModelKind;
  readonly family?: string;
  readonly litellm_model_name?: string;
  readonly base_url?: string;
  readonly deployment_name?: string;
  /** Where the model runs: `eu`, `usa` ... */
  readonly hosting?: unknown;
  readonly [field: string]: unknown;
}

/**
 * Splits `berget/intfloat/e5` into berget and `intfloat/e5`. A name without a slash is a model of the default provider.
 * @returns undefined for an unknown provider, or when no model follows the slash
 */
export function splitLitellmName(providers: ProviderRegistry, name: string): ServedModel | undefined {
  const slash = name.indexOf('/');
  if (slash < 0) return { provider: defaultProvider, upstreamModel: name };
  const provider = providers.ofPrefix(name.slice(0, slash));
  const upstreamModel = name.slice(slash + 1);
  return provider && upstreamModel !== '' ? { provider, upstreamModel } : undefined;
}

/** The provider of a model, and its name of the model. */
export interface ServedModel {
  readonly provider: Provider;
  readonly upstreamModel: string;
}

/** By model. A catalogue that is read again has other models, which may have other providers. */
const servedModels = new WeakMap<Model, ServedModel>();

/** The provider that serves a model, by the rule of its adapter; undefined when none does, as for family e5. */
export function providerOfModel(model: Model): ServedModel | undefined {
  return servedModels.get(model);
}

/**
 * Makes a model of the catalogue, frozen because running calls share it. Its provider is that of the catalogue in which it is, however
 * often the catalogue is replaced.
 */
export function modelOf(
  providers: ProviderRegistry,
  fields: Readonly<Record<string, unknown>>,
  kind: ModelKind,
): Model {
  const model = deepFreeze({ ...fields, kind }) as Model;
  const served = servedModelOf(providers, model);
  if (served) servedModels.set(model, served);
  return model;
}

function servedModelOf(providers: ProviderRegistry, model: Model): ServedModel | undefined {
  if (model.litellm_model_name) return splitLitellmName(providers, model.litellm_model_name);
  const provider = providers.ofFamily(model.family ?? '');
  return provider && { provider, upstreamModel: model.name };
}

/** A value may contain itself, by an alias. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
  return value;
}
