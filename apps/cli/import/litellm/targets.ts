import { defaultProvider, fixedProviders, type Provider, ProviderRegistry } from '#providers';

const providers = new ProviderRegistry();

/** Whom LiteLLM calls for a `model`, and by which name. */
export interface Target {
  readonly provider: Provider;
  readonly upstreamModel: string;
  /** A part of the name that switches LiteLLM to another API, such as `responses/`. */
  readonly leftOut?: string;
}

/** Why a model has no target, as the rest of a sentence. */
export interface NoTarget {
  readonly reason: string;
}

/** Switches of LiteLLM before the name of an Azure deployment: https://docs.litellm.ai/docs/providers/azure */
const azureSwitch = /^(?:responses|o_series|gpt5_series)\//;

/** Names that LiteLLM knows without a prefix as models of OpenAI. */
const openaiModels =
  /^(?:ft:)?(?:gpt-|chatgpt-|o\d|text-embedding-|text-moderation-|omni-moderation-|whisper-1$|tts-1|dall-e-|davinci-|babbage-|codex-|computer-use-)/;

const ownFormat = 'does not use the format of OpenAI, so Tenkey cannot call it';
const gateway = 'put a gateway with that format in front of it, and declare the gateway under providers';
const atGateway = `${ownFormat}; ${gateway}`;

/** What to do about providers of LiteLLM that Tenkey has no file for, if it is not the usual advice. */
const others: Readonly<Record<string, string>> = {
  bedrock: atGateway,
  bedrock_converse: atGateway,
  sagemaker: atGateway,
  sagemaker_chat: atGateway,
  vertex_ai: `${ownFormat} with an API key; use Gemini's own API with the prefix gemini/, or ${gateway}`,
  vertex_ai_beta: `${ownFormat} with an API key; use Gemini's own API with the prefix gemini/, or ${gateway}`,
  azure_ai:
    'is not the API of Azure OpenAI; declare its address under providers, with the kind openai_compatible',
  ollama:
    "is called by LiteLLM in Ollama's own format; declare the address under providers, with /v1 at its end and the kind openai_compatible",
  ollama_chat:
    "is called by LiteLLM in Ollama's own format; declare the address under providers, with /v1 at its end and the kind openai_compatible",
  vllm: 'means a model inside the process of LiteLLM; start a vLLM server, and write hosted_vllm/ with its api_base',
  litellm_proxy: 'is another LiteLLM proxy; import the configuration of that proxy',
};

/** @param custom the `custom_llm_provider` of the entry */
export function targetOf(model: string, custom: string | undefined): Target | NoTarget {
  const named = custom !== undefined && model.split('/', 1)[0] !== custom ? `${custom}/${model}` : model;
  if (named.includes('*')) {
    return { reason: 'is a wildcard, which names no model; write an entry for each model that clients use' };
  }
  const slash = named.indexOf('/');
  if (slash < 0) return unprefixed(named);
  const prefix = named.slice(0, slash);
  const upstreamModel = named.slice(slash + 1);
  if (Object.hasOwn(others, prefix)) return { reason: `has the prefix ${prefix}/, which ${others[prefix]}` };
  const provider = providers.ofPrefix(prefix);
  if (provider === undefined) {
    return {
      reason:
        'has a prefix that is no provider of Tenkey; if its server uses the format of OpenAI, declare it under providers, with the kind openai_compatible',
    };
  }
  const leftOut = provider.id === 'azure' ? azureSwitch.exec(upstreamModel)?.[0] : undefined;
  const rest = upstreamModel.slice(leftOut?.length ?? 0);
  if (rest === '') return { reason: 'has no model after the provider' };
  return { provider, upstreamModel: rest, ...(leftOut !== undefined && { leftOut }) };
}

/** LiteLLM finds the provider of such a name in its own list of models. */
function unprefixed(upstreamModel: string): Target | NoTarget {
  if (openaiModels.test(upstreamModel)) return { provider: defaultProvider, upstreamModel };
  const provider = fixedProviders.find(({ ownModels }) => ownModels?.test(upstreamModel));
  if (provider?.id === 'gemini')
    return { reason: `without a prefix means vertex_ai/, which ${others.vertex_ai}` };
  if (provider !== undefined) return { provider, upstreamModel };
  return {
    reason:
      'has no prefix, and only LiteLLM knows which provider it means; write the provider before it, such as openai/',
  };
}

/** The prefix of `litellm_model_name` for a provider: `hosted_vllm`, which LiteLLM reads in the same way, and else the id. */
export function prefixOf({ id, prefixes }: Provider): string {
  return prefixes.find((prefix) => prefix === `hosted_${id}`) ?? id;
}

/** Whether a host is OpenAI's own, also one of a region, such as eu.api.openai.com. */
export function isOpenAi(endpoint: URL): boolean {
  return endpoint.hostname === 'api.openai.com' || endpoint.hostname.endsWith('.api.openai.com');
}

/**
 * The kind under which a further server or account of a provider can be declared. That is openai_compatible only if it would be
 * called at the same addresses.
 */
export function declarableKindOf(provider: Provider): 'openai_compatible' | 'vllm' | 'azure' | undefined {
  if (provider.id === 'azure' || provider.id === 'vllm') return provider.id;
  const compatible = providers.find('openai_compatible')!;
  const endpoint = new URL(provider.defaultEndpoint ?? 'https://server.example/v1');
  const urlsOf = (each: Provider) =>
    provider.operations
      .filter((operation) => compatible.operations.includes(operation))
      .map((operation) => each.url(endpoint, {}, 'model', operation).href);
  const urls = urlsOf(provider);
  return urls.length > 0 && urls.join() === urlsOf(compatible).join() ? 'openai_compatible' : undefined;
}
