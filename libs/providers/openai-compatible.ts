import {
  type CredentialField,
  defineProvider,
  type Operation,
  type Provider,
  type Settings,
} from './provider';
import { urlBelow } from './target-url';

/** What tells one OpenAI-compatible provider from another. */
export interface OpenAiCompatible {
  readonly id: string;
  readonly label: string;
  readonly prefixes?: readonly string[];
  readonly families: readonly string[];
  readonly isDefault?: boolean;
  readonly credentialClass: new () => object;
  readonly fields: readonly CredentialField[];
  readonly example: Readonly<Record<string, unknown>>;
  readonly apiKeyVariable: string;
  readonly baseUrlVariables: readonly string[];
  readonly defaultEndpoint?: string;
  readonly operations: readonly Operation[];
  readonly differences?: Provider['differences'];
  readonly timeouts?: Provider['timeouts'];
  readonly passedRequestHeaders?: Provider['passedRequestHeaders'];
  readonly isCredentialRefusal?: (status: number, message: string) => boolean;
  /** Path segments between endpoint and operation; none when the endpoint is the whole base URL. */
  baseSegments?(endpoint: URL): readonly string[];
}

/** A provider that speaks OpenAI's format below one base URL: bearer key, `{base}/{operation}`, `{base}/models`. */
export function openAiCompatible(options: OpenAiCompatible): Provider {
  const below = (endpoint: URL, path: string) =>
    urlBelow(endpoint, [...(options.baseSegments?.(endpoint) ?? []), ...path.split('/')]);
  return defineProvider({
    id: options.id,
    label: options.label,
    prefixes: options.prefixes ?? [],
    families: options.families,
    isDefault: options.isDefault ?? false,
    credentialClass: options.credentialClass,
    fields: options.fields,
    example: options.example,
    globalVariables: { apiKey: options.apiKeyVariable, settings: {} },
    baseUrlVariables: options.baseUrlVariables,
    defaultEndpoint: options.defaultEndpoint,
    operations: options.operations,
    differences: options.differences,
    timeouts: options.timeouts,
    passedRequestHeaders: options.passedRequestHeaders,
    isCredentialRefusal: options.isCredentialRefusal,
    target: (_settings: Settings, upstreamModel: string) => upstreamModel,
    url: (endpoint: URL, _settings: Settings, _upstreamModel: string, operation: Operation) =>
      below(endpoint, operation),
    headers: (apiKey) => ({ authorization: `Bearer ${apiKey.expose()}` }),
    probe: (endpoint: URL) => ({ method: 'GET' as const, url: below(endpoint, 'models') }),
  });
}
