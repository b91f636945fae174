import type { Secret } from '#crypto';

/** What can be asked of a provider; the value is the path below /v1 and, in most providers, below the base URL. */
export const operations = [
  'chat/completions',
  'completions',
  'embeddings',
  'responses',
  'audio/transcriptions',
  'audio/speech',
  'images/generations',
  'moderations',
  'messages',
  'messages/count_tokens',
] as const;
export type Operation = (typeof operations)[number];

/** How one provider's request differs from what the operation's own documentation says; all else passes as it came. */
export interface RequestDifferences {
  /** Top-level parameters that this provider names otherwise: the documented name -> its name, which wins if given. */
  readonly renamed?: Readonly<Record<string, string>>;
  /**
   * Top-level parameters that this provider's documentation excludes. They are left out, and the answer names them.
   * Never one without which the answer would be another thing (`n`, `dimensions`, `stream`): such a parameter goes to
   * the provider, and its refusal to the caller.
   */
  readonly unsupported?: readonly string[];
}

/** A request that no provider bills and that tells whether a key is accepted. It is sent with the provider's headers. */
export interface Probe {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  /**
   * JSON, for POST: something the provider cannot do. Then 400, 404 and 422 mean that the key is accepted, unless
   * `isCredentialRefusal` says otherwise. Without a body only 2xx means so.
   */
  readonly body?: string;
}

/** How long a provider may take, in milliseconds. */
export interface Timeouts {
  /** Name resolution, TCP and TLS together. */
  readonly connectMs: number;
  /** From the request sent to the answer's head. */
  readonly firstByteMs: number;
  /** Between two parts of the answer's body. */
  readonly idleMs: number;
}

/** The names of the environment variables that hold the operator's own ("global") credential of a provider. */
export interface GlobalVariables {
  readonly apiKey: string;
  /** Setting name (a field of the provider's credential) -> variable name. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The non-secret fields of a credential, as stored and shown: endpoint, api_version, deployment_name ... */
export type Settings = Readonly<Record<string, unknown>>;

/** One field of a credential, by its name in JSON. */
export interface CredentialField {
  readonly name: string;
  readonly required: boolean;
}

/**
 * Everything the rest of the code may know of one provider. One file of definitions/ makes one; nothing outside names a
 * provider. No method ever sees a key and a URL together: a key cannot end up in a URL.
 */
export interface Provider<S extends Settings = Settings> {
  /** File name, path segment of the credential routes, and prefix of `litellm_model_name`. */
  readonly id: string;
  /** What people call it. */
  readonly label: string;
  /** Further prefixes of `litellm_model_name` that mean this provider (`hosted_vllm`). */
  readonly prefixes: readonly string[];
  /** Families of legacy models (ai_models.yml) that this provider serves. */
  readonly families: readonly string[];
  /** True for the one provider that a `litellm_model_name` without a slash means. */
  readonly isDefault: boolean;
  /** class-validator class of the credential's fields, `api_key` included, with @ApiProperty examples. */
  readonly credentialClass: new () => object;
  /** Every field of `credentialClass`, in the order people fill them in; the one list of what is required. */
  readonly fields: readonly CredentialField[];
  /** A complete example body for PUT, for the documentation. The key in it is visibly not one. */
  readonly example: Readonly<Record<string, unknown>>;
  readonly globalVariables: GlobalVariables;
  /**
   * Names of variables that hold the operator's base URL in place of `defaultEndpoint`, first set one wins.
   * Such an address bills nobody, so it applies in both modes.
   */
  readonly baseUrlVariables: readonly string[];
  /** Where the provider is when neither tenant nor operator says otherwise; absent when there is no such place. */
  readonly defaultEndpoint?: string;
  /** What it has itself; others may be reached by translation (dialects/translation.ts). */
  readonly operations: readonly Operation[];
  readonly differences?: Partial<Readonly<Record<Operation, RequestDifferences>>>;
  /**
   * True when a stream reports its usage only if `stream_options.include_usage` asks for it, and the documentation has that
   * option for such a request. False, and absent: usage comes unasked, or nothing is documented; then nobody asks.
   */
  hasUsageOption?(operation: Operation, settings: S, request: Readonly<Record<string, unknown>>): boolean;
  /** Where it differs from what suits most. */
  readonly timeouts?: Partial<Timeouts>;
  /**
   * Request headers of the client that are passed on, in place of what `headers` says. Lower-case names. Never one that
   * chooses who pays: that is the credential's alone.
   */
  readonly passedRequestHeaders?: readonly string[];
  /**
   * The deployment or upstream model actually addressed: what goes into the request's `model`.
   * @throws InvalidTarget when the settings name a deployment that cannot be one
   */
  target(settings: S, upstreamModel: string): string;
  /**
   * The address of one operation, built with the URL class from the endpoint's parsed parts.
   * @param endpoint the tenant's, the operator's or the default endpoint, parsed
   * @returns a URL whose origin is the endpoint's and whose path begins with the endpoint's path
   * @throws InvalidTarget when endpoint or settings cannot make such a URL
   */
  url(endpoint: URL, settings: S, upstreamModel: string, operation: Operation): URL;
  /** The headers that carry the key, and any others the provider demands. Lower-case names. */
  headers(apiKey: Secret): Record<string, string>;
  /** @throws InvalidTarget when endpoint or settings cannot make its URL */
  probe(endpoint: URL, settings: S): Probe;
  /**
   * True when an error answer means that the key is not accepted; absent: 401 and 403 do.
   * @param message the provider's sentence
   */
  isCredentialRefusal?(status: number, message: string): boolean;
  /** True when the text of a 401 or 403 speaks of the provider's own network rules and not of the key; asked first. */
  isNetworkRuleRefusal?(message: string): boolean;
}

/** Types and freezes one provider: a file of definitions/ is one call of this, or of a function that calls it. */
export function defineProvider<S extends Settings>(provider: Provider<S>): Provider<S> {
  return Object.freeze(provider);
}
