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

/** Every provider, written down by hand: what is not in this list does not exist. */
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

// Maps, not objects: `constructor` and `__proto__` are asked for like any other id and are not there.
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
export const defaultProvider: Provider = theDefault();

/** Exact spelling only; undefined for anything else. */
export function findProvider(id: string): Provider | undefined {
  return byId.get(id);
}

/** By the text before the first slash of a `litellm_model_name`: an id or one of its further prefixes. */
export function providerOfPrefix(prefix: string): Provider | undefined {
  return byPrefix.get(prefix);
}

/** By the family of a legacy model; undefined for families without a provider, such as `e5`. */
export function providerOfFamily(family: string): Provider | undefined {
  return byFamily.get(family);
}

/** Provider id -> names of the fields that PUT demands; a new object at each call. */
export function providerRequirements(): Record<string, string[]> {
  return Object.fromEntries(
    providers.map(({ id, fields }) => [
      id,
      fields.filter((field) => field.required).map((field) => field.name),
    ]),
  );
}

function theDefault(): Provider {
  const [found, ...others] = providers.filter((provider) => provider.isDefault);
  if (found === undefined || others.length > 0) throw new Error('Exactly one provider must be the default.');
  return found;
}
