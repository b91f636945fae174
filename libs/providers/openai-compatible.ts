import {
  type CredentialField,
  defineProvider,
  type Operation,
  type Provider,
  type Settings,
} from './provider';
import { missingSegments, urlBelow } from './target-url';

/** How one OpenAI-compatible provider differs from another. */
export interface OpenAiCompatible {
  readonly id: string;
  readonly label: string;
  readonly prefixes?: readonly string[];
  readonly declarablePrefixes?: readonly string[];
  readonly families: readonly string[];
  readonly isDefault?: boolean;
  readonly ownModels?: RegExp;
  readonly credentialClass: new () => object;
  readonly fields: readonly CredentialField[];
  readonly example: Readonly<Record<string, unknown>>;
  readonly apiKeyVariable: string;
  /** Field of the credential -> the header that it is sent in, and its variable in the operator's global credential. */
  readonly settingHeaders?: Readonly<Record<string, { readonly header: string; readonly variable: string }>>;
  readonly baseUrlVariables: readonly string[];
  readonly defaultEndpoint?: string;
  readonly operations: readonly Operation[];
  readonly differences?: Provider['differences'];
  readonly differencesFor?: Provider['differencesFor'];
  /** Operations whose streams report their usage only when `stream_options.include_usage` requests it, as documented. */
  readonly usageOption?: readonly Operation[];
  readonly hasContentParts?: Provider['hasContentParts'];
  readonly timeouts?: Provider['timeouts'];
  readonly passedRequestHeaders?: Provider['passedRequestHeaders'];
  readonly isCredentialRefusal?: (status: number, message: string) => boolean;
  readonly isNetworkRuleRefusal?: (message: string) => boolean;
  /**
   * Path between the endpoint and the operation. It is not repeated if the endpoint already ends with it. Absent: the
   * endpoint is the complete base URL.
   */
  readonly basePath?: string;
  /** Operation -> path below the base URL, if the path is not the operation's name. */
  readonly paths?: Partial<Readonly<Record<Operation, string | OwnPath>>>;
  /** Absent: GET `models`. */
  readonly probe?: OwnPath & { readonly body?: string };
}

interface OwnPath {
  readonly path: string;
  /** Replaces the provider's `basePath`. */
  readonly basePath?: string;
}

/**
 * For a provider whose list of models is public. It requests a model that does not exist, and is otherwise complete, so
 * that the provider checks the key before it can object to the request.
 */
export const unknownModelProbe = {
  path: 'chat/completions',
  body: JSON.stringify({
    model: 'no-such-model-credential-check',
    messages: [{ role: 'user', content: 'Hello' }],
    max_tokens: 1,
  }),
} as const;

/** A provider that uses OpenAI's format: a bearer key, operations at `{base}/{operation}`, and a probe at `{base}/models`. */
export function openAiCompatible(options: OpenAiCompatible): Provider {
  const {
    path: probePath,
    basePath: probeBasePath = options.basePath,
    body,
  } = options.probe ?? { path: 'models' };
  const below = (endpoint: URL, path: string, basePath = options.basePath) =>
    urlBelow(endpoint, [
      ...(basePath === undefined ? [] : missingSegments(endpoint, basePath)),
      ...path.split('/'),
    ]);
  const settingHeaders = Object.entries(options.settingHeaders ?? {});
  return defineProvider({
    id: options.id,
    label: options.label,
    prefixes: options.prefixes ?? [],
    declarablePrefixes: options.declarablePrefixes,
    families: options.families,
    isDefault: options.isDefault ?? false,
    ownModels: options.ownModels,
    credentialClass: options.credentialClass,
    fields: options.fields,
    example: options.example,
    globalVariables: {
      apiKey: options.apiKeyVariable,
      settings: Object.fromEntries(settingHeaders.map(([field, { variable }]) => [field, variable])),
    },
    baseUrlVariables: options.baseUrlVariables,
    defaultEndpoint: options.defaultEndpoint,
    operations: options.operations,
    differences: options.differences,
    differencesFor: options.differencesFor,
    hasUsageOption: (operation: Operation) => options.usageOption?.includes(operation) === true,
    hasContentParts: options.hasContentParts,
    timeouts: options.timeouts,
    passedRequestHeaders: options.passedRequestHeaders,
    isCredentialRefusal: options.isCredentialRefusal,
    isNetworkRuleRefusal: options.isNetworkRuleRefusal,
    target: (_settings: Settings, { upstreamModel }) => ({ target: upstreamModel, from: null }),
    url: (endpoint: URL, _settings: Settings, _target: string, operation: Operation) => {
      const own = options.paths?.[operation] ?? operation;
      return typeof own === 'string' ? below(endpoint, own) : below(endpoint, own.path, own.basePath);
    },
    headers: (apiKey, settings: Settings) => {
      const headers: Record<string, string> = { authorization: `Bearer ${apiKey.expose()}` };
      for (const [field, { header }] of settingHeaders) {
        const value = settings[field];
        if (typeof value === 'string') headers[header] = value;
      }
      return headers;
    },
    probe: (endpoint: URL) => {
      const url = below(endpoint, probePath, probeBasePath);
      return body === undefined ? { method: 'GET', url } : { method: 'POST', url, body };
    },
  });
}
