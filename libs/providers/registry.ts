import { anthropic } from './definitions/anthropic';
import { azure } from './definitions/azure';
import { berget } from './definitions/berget';
import { cohere } from './definitions/cohere';
import { deepseek } from './definitions/deepseek';
import { gemini } from './definitions/gemini';
import { groq } from './definitions/groq';
import { mistral } from './definitions/mistral';
import { openai } from './definitions/openai';
import { openaiCompatible } from './definitions/openai_compatible';
import { openrouter } from './definitions/openrouter';
import { ovhcloud } from './definitions/ovhcloud';
import { scaleway } from './definitions/scaleway';
import { together } from './definitions/together';
import { vllm } from './definitions/vllm';
import { xai } from './definitions/xai';
import { type Provider } from './provider';

/** Every provider. A definition that is missing from this list has no effect. */
export const providers: readonly Provider[] = Object.freeze([
  openai,
  anthropic,
  mistral,
  ovhcloud,
  berget,
  azure,
  vllm,
  gemini,
  cohere,
  groq,
  deepseek,
  openrouter,
  together,
  xai,
  scaleway,
  openaiCompatible,
]);

// Maps, because an object would find `constructor` and `__proto__`.
const byId = new Map(providers.map((provider) => [provider.id, provider]));
const byPrefix = new Map(
  providers.flatMap((provider) =>
    [provider.id, ...provider.prefixes].map((prefix) => [prefix, provider] as const),
  ),
);
const byFamily = new Map(
  providers.flatMap((provider) => provider.families.map((family) => [family, provider] as const)),
);

/** The provider of a `litellm_model_name` without a slash. */
export const defaultProvider: Provider = onlyDefault();

/** Accepts only the exact spelling of an id. */
export function findProvider(id: string): Provider | undefined {
  return byId.get(id);
}

/** @param prefix the text before the first slash of a `litellm_model_name`: an id or another prefix of a provider */
export function providerOfPrefix(prefix: string): Provider | undefined {
  return byPrefix.get(prefix);
}

/** @returns undefined for families of legacy models without a provider, such as `e5` */
export function providerOfFamily(family: string): Provider | undefined {
  return byFamily.get(family);
}

/** The request headers of all providers that name a further model, in lower case. */
export const modelHeaders: readonly string[] = providers.flatMap((provider) => provider.modelHeaders ?? []);

/** Provider id -> names of the fields that PUT requires. */
export function providerRequirements(): Record<string, string[]> {
  return Object.fromEntries(
    providers.map(({ id, fields }) => [
      id,
      fields.filter((field) => field.required).map((field) => field.name),
    ]),
  );
}

function onlyDefault(): Provider {
  const [provider, ...others] = providers.filter(({ isDefault }) => isDefault);
  if (provider === undefined || others.length > 0)
    throw new Error('Exactly one provider must be the default.');
  return provider;
}
