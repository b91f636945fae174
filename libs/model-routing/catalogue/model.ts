import {
  defaultProvider,
  type Operation,
  operations,
  type Provider,
  providerOfFamily,
  providerOfPrefix,
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
  readonly [field: string]: unknown;
}

/**
 * Splits `berget/intfloat/e5` into berget and `intfloat/e5`. A name without a slash is a model of the default provider.
 * @returns undefined for an unknown provider, or when no model follows the slash
 */
export function splitLitellmName(name: string): ServedModel | undefined {
  const slash = name.indexOf('/');
  if (slash < 0) return { provider: defaultProvider, upstreamModel: name };
  const provider = providerOfPrefix(name.slice(0, slash));
  const upstreamModel = name.slice(slash + 1);
  return provider && upstreamModel !== '' ? { provider, upstreamModel } : undefined;
}

/** The provider of a model, and its name of the model. */
interface ServedModel {
  readonly provider: Provider;
  readonly upstreamModel: string;
}

/** By model, whose entries never change: a catalogue that is read again has other objects. */
const servedModels = new WeakMap<Model, ServedModel | undefined>();

/** The provider that serves a model, by the rule of its adapter; undefined when none does, as for family e5. */
export function providerOfModel(model: Model): ServedModel | undefined {
  if (!servedModels.has(model)) servedModels.set(model, servedModelOf(model));
  return servedModels.get(model);
}

function servedModelOf(model: Model): ServedModel | undefined {
  if (model.litellm_model_name) return splitLitellmName(model.litellm_model_name);
  const provider = providerOfFamily(model.family ?? '');
  return provider && { provider, upstreamModel: model.name };
}
