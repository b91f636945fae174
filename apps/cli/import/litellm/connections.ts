import { Secret } from '#crypto';
import { cutEndpoint, defaultProvider, faultOfEndpoint, type Provider, ProviderRegistry } from '#providers';
import { type Placed } from './config';
import { isOpenAi, type Target } from './targets';
import { notSet, type Variables } from './variables';

/** A key of the configuration: the key itself, or why there is none. */
export interface ConfigKey {
  readonly secret?: Secret;
  /** Why there is no key, as a sentence; names variables, and never a value. */
  readonly fault?: string;
  /** Why the key is another one than the configuration says, as a sentence. */
  readonly warning?: string;
}

/** All that LiteLLM needs to call a model: its provider, the address, and whose key it uses. */
export interface Connection {
  readonly provider: Provider;
  readonly upstreamModel: string;
  /** Absent: the provider's own address. */
  readonly endpoint?: string;
  /** The other fields of the credential. */
  readonly settings: Readonly<Record<string, string>>;
  readonly key: ConfigKey;
  /** Equal for the connections that can share one credential. It contains the key, so it is never shown. */
  readonly identity: string;
}

/** What is wrong with a parameter, so that the model cannot be called. */
export interface ParamFault {
  readonly param: string;
  readonly reason: string;
}

export type Params = ReadonlyMap<string, Placed>;

/** LiteLLM's names of variables for what an entry leaves out, where they are not Tenkey's: provider -> names. */
const keyVariables: Readonly<Record<string, readonly string[]>> = {
  azure: ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'],
  vllm: ['HOSTED_VLLM_API_KEY'],
  gemini: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  cohere: ['COHERE_API_KEY', 'CO_API_KEY'],
  openrouter: ['OPENROUTER_API_KEY', 'OR_API_KEY'],
  together: ['TOGETHER_API_KEY', 'TOGETHER_AI_API_KEY', 'TOGETHERAI_API_KEY', 'TOGETHER_AI_TOKEN'],
  openai_compatible: ['OPENAI_API_KEY'],
};
const addressVariables: Readonly<Record<string, readonly string[]>> = {
  vllm: ['HOSTED_VLLM_API_BASE'],
  together: ['TOGETHER_AI_API_BASE'],
  openai_compatible: ['OPENAI_LIKE_API_BASE'],
};

const otherSignIn = ['azure_ad_token', 'client_secret', 'azure_username', 'azure_password'];

export function connectionOf(
  { provider: named, upstreamModel }: Target,
  params: Params,
  variables: Variables,
): Connection | ParamFault {
  const address = addressOf(named, params, variables);
  if ('reason' in address) return address;
  const version = named.id === 'azure' ? textOf('api_version', params, variables, ['AZURE_API_VERSION']) : {};
  if ('reason' in version) return version;
  const apiVersion = version.text ?? address.apiVersion;
  if (named.id === 'azure' && apiVersion === undefined) {
    return {
      param: 'model',
      reason: 'api_version is missing, and LiteLLM uses a default of its own; add one',
    };
  }
  if (address.deployment !== undefined && address.deployment !== upstreamModel) {
    return {
      param: 'api_base',
      reason: 'api_base names another deployment than model; write the address of the resource',
    };
  }
  const organization = textOf('organization', params, variables, []);
  if ('reason' in organization) return organization;
  const provider =
    named === defaultProvider && address.endpoint !== undefined && !isOpenAi(new URL(address.endpoint))
      ? new ProviderRegistry().find('openai_compatible')!
      : named;
  const fields = provider.fields.map(({ name }) => name);
  const required = provider.fields.some(
    ({ name, required: isRequired }) => name === 'endpoint' && isRequired,
  );
  if (address.endpoint === undefined && (required || (provider.id === 'vllm' && named.id === 'vllm'))) {
    return { param: 'model', reason: 'api_base is missing; add the address of the server' };
  }
  const settings = {
    ...(apiVersion !== undefined && { api_version: apiVersion }),
    ...(organization.text !== undefined &&
      fields.includes('organization') && { organization: organization.text }),
  };
  if (organization.text !== undefined && !fields.includes('organization')) {
    return {
      param: 'organization',
      reason: `organization has no counterpart for ${provider.label}; remove it if the server ignores it`,
    };
  }
  const { key, source } = keyOf(provider, params, variables);
  const identity = JSON.stringify([address.endpoint, settings, source]);
  return { provider, upstreamModel, endpoint: address.endpoint, settings, key, identity };
}

interface Address {
  readonly endpoint?: string;
  /** What the address of a request says: https://.../openai/deployments/{deployment}/chat/completions?api-version=... */
  readonly apiVersion?: string;
  readonly deployment?: string;
}

function addressOf(provider: Provider, params: Params, variables: Variables): Address | ParamFault {
  const param = params.has('api_base') ? 'api_base' : 'base_url';
  const others = (addressVariables[provider.id] ?? [`${provider.id.toUpperCase()}_API_BASE`]).filter(
    (name) => !provider.baseUrlVariables.includes(name),
  );
  const written = textOf(param, params, variables, others);
  if ('reason' in written) return written;
  if (written.text === undefined) return {};
  const pasted = cutEndpoint(written.text, provider);
  const endpoint = (pasted?.endpoint ?? written.text).replace(/\/+$/, '');
  const fault = faultOfEndpoint(endpoint);
  if (fault !== undefined) return { param, reason: `${param} ${fault}` };
  return {
    ...(!isDefault(provider, endpoint) && { endpoint }),
    apiVersion: pasted?.fields.api_version,
    deployment: pasted?.fields.deployment_name,
  };
}

/** Whether the endpoint leads to the provider's own address, which can be written with and without `/v1`. */
function isDefault(provider: Provider, endpoint: string): boolean {
  const own = provider.defaultEndpoint;
  if (own === undefined) return false;
  const urlAt = (base: string) => provider.url(new URL(base), {}, 'model', provider.operations[0]!).href;
  return urlAt(endpoint) === urlAt(own);
}

/** @param others variables that LiteLLM reads if the parameter is absent */
function textOf(
  param: string,
  params: Params,
  variables: Variables,
  others: readonly string[],
): { text?: string } | ParamFault {
  const value = params.get(param)?.value;
  if (value === undefined || value === '') {
    const name = variables.firstSet(others);
    return name === undefined ? {} : variables.resolve(`os.environ/${name}`);
  }
  if (Array.isArray(value)) {
    return {
      param,
      reason: `${param} is a list, of which LiteLLM makes several deployments; write an entry for each`,
    };
  }
  if (typeof value !== 'string') return { param, reason: `${param} must be a text; quote it` };
  const { text, fault } = variables.resolve(value);
  return fault === undefined ? { text: text?.trim() } : { param, reason: `${param} ${fault}` };
}

/** @returns the key, and its source: connections with the same source have the same key */
function keyOf(provider: Provider, params: Params, variables: Variables): { key: ConfigKey; source: string } {
  const value = params.get('api_key')?.value;
  if (value !== undefined && value !== '') {
    if (typeof value !== 'string')
      return { key: { fault: 'api_key must be a text; quote it' }, source: 'no text' };
    const { text, fault } = variables.resolve(value);
    const key = text === undefined ? { fault: `api_key ${fault}` } : { secret: new Secret(text.trim()) };
    return { key, source: value.trim() };
  }
  if (otherSignIn.some((name) => params.has(name))) {
    return {
      key: { fault: 'there is no api_key, and Tenkey signs in with an API key only; create one' },
      source: 'none',
    };
  }
  const names = keyVariables[provider.id] ?? [provider.globalVariables.apiKey];
  const name = variables.firstSet(names);
  if (name !== undefined) {
    const { text = '' } = variables.resolve(`os.environ/${name}`);
    return { key: { secret: new Secret(text.trim()) }, source: `os.environ/${name}` };
  }
  if (provider.id === 'vllm') {
    const warning =
      'there is no api_key, for which LiteLLM sends a made-up one; the key EMPTY is used instead';
    return { key: { secret: new Secret('EMPTY'), warning }, source: 'EMPTY' };
  }
  return {
    key: { fault: `api_key is missing, and LiteLLM then ${notSet(names)}` },
    source: `os.environ/${names[0]}`,
  };
}
