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

/**
 * Every provider that has a file in `definitions`; a file that is missing from this list has no effect. A catalogue may declare
 * more providers, so only a `ProviderRegistry` knows all of them.
 */
export const fixedProviders: readonly Provider[] = Object.freeze([
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

/** The provider of a `litellm_model_name` without a slash. */
export const defaultProvider: Provider = onlyDefault();

// Maps, because an object would find `constructor` and `__proto__`.
const byFamily = new Map(
  fixedProviders.flatMap((provider) => provider.families.map((family) => [family, provider] as const)),
);

/** The request headers of all providers that name a further model, in lower case. A declared provider has those of its kind. */
export const modelHeaders: readonly string[] = fixedProviders.flatMap(
  (provider) => provider.modelHeaders ?? [],
);

/** The fixed providers and those that a catalogue declares. */
export class ProviderRegistry {
  #declared: readonly Provider[] = [];
  #all: readonly Provider[] = [];
  #byId: ReadonlyMap<string, Provider> = new Map();
  #byPrefix: ReadonlyMap<string, Provider> = new Map();

  /** @param declared their ids are none of a fixed provider */
  constructor(declared: readonly Provider[] = []) {
    this.#set(declared);
  }

  get all(): readonly Provider[] {
    return this.#all;
  }

  get declared(): readonly Provider[] {
    return this.#declared;
  }

  /** Accepts only the exact spelling of an id. */
  find(id: string): Provider | undefined {
    return this.#byId.get(id);
  }

  /** @param prefix the text before the first slash of a `litellm_model_name`: an id or another prefix of a provider */
  ofPrefix(prefix: string): Provider | undefined {
    return this.#byPrefix.get(prefix);
  }

  /** Every text that `ofPrefix` finds. */
  get prefixes(): string[] {
    return [...this.#byPrefix.keys()];
  }

  /** @returns undefined for families of legacy models without a provider, such as `e5` */
  ofFamily(family: string): Provider | undefined {
    return byFamily.get(family);
  }

  /** Provider id -> names of the fields that PUT requires. */
  requirements(): Record<string, string[]> {
    return Object.fromEntries(
      this.#all.map(({ id, fields }) => [
        id,
        fields.filter((field) => field.required).map((field) => field.name),
      ]),
    );
  }

  /** Takes the place of another catalogue's registry in one step. A running call keeps the Provider that it found. */
  replaceWith({ declared }: ProviderRegistry): void {
    this.#set(declared);
  }

  #set(declared: readonly Provider[]): void {
    this.#declared = declared;
    this.#all = [...fixedProviders, ...declared];
    this.#byId = new Map(this.#all.map((provider) => [provider.id, provider]));
    // In this order, so that a declared id comes before the same text among the prefixes of a fixed provider.
    this.#byPrefix = new Map([
      ...fixedProviders.flatMap((provider) =>
        [provider.id, ...provider.prefixes, ...(provider.declarablePrefixes ?? [])].map(
          (prefix) => [prefix, provider] as const,
        ),
      ),
      ...declared.map((provider) => [provider.id, provider] as const),
    ]);
  }
}

function onlyDefault(): Provider {
  const [provider, ...others] = fixedProviders.filter(({ isDefault }) => isDefault);
  if (provider === undefined || others.length > 0)
    throw new Error('Exactly one provider must be the default.');
  return provider;
}
