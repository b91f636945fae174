import type { Secret } from '#crypto';

/** What a client can request from a provider. Each value is the path below /v1, and for most providers below the base URL. */
export const operations = [
  'chat/completions',
  'completions',
  'embeddings',
  'responses',
  'audio/transcriptions',
  'audio/translations',
  'audio/speech',
  'images/generations',
  'images/edits',
  'moderations',
  'rerank',
  'messages',
  'messages/count_tokens',
] as const;
export type Operation = (typeof operations)[number];

/** What a client can request about a response that the provider keeps, below the path of the operation `responses`. */
export const storedResponseOperations = [
  'responses/get',
  'responses/delete',
  'responses/cancel',
  'responses/input_items',
] as const;
export type StoredResponseOperation = (typeof storedResponseOperations)[number];

/**
 * Parameters that must not be null according to the documentation of their operation. Clients send null anyway, and many
 * servers refuse it, so it is left out for every provider.
 */
export const neverNull: Partial<Readonly<Record<Operation, readonly string[]>>> = {
  embeddings: ['encoding_format'],
};

/** How a provider's request differs from the documentation of the operation. Everything else is sent unchanged. */
export interface RequestDifferences {
  /** Documented name of a top-level parameter -> this provider's name for it, which takes precedence if both are sent. */
  readonly renamed?: Readonly<Record<string, string>>;
  /**
   * Top-level parameters that this provider's documentation excludes. They are left out, and a response header names
   * them. A parameter that determines what the response is (`n`, `dimensions`, `stream`) is never listed: it is sent, and
   * the client receives the provider's refusal.
   */
  readonly unsupported?: readonly string[];
  /**
   * Role -> the fields that a message of this role may have, if the provider refuses all others. Those are left out, and a
   * response header names them. Messages of other roles are sent unchanged.
   */
  readonly messageFields?: Readonly<Record<string, readonly string[]>>;
  /**
   * How many letters and digits the id of a tool call has, if the provider refuses other ids. An id of another provider is
   * replaced by one that is made from it.
   */
  readonly toolCallIdLength?: number;
  /**
   * The field in which a translated request returns the thinking of an earlier turn. Absent: the thinking is left out, because
   * many providers refuse a field that they do not know.
   */
  readonly thinkingField?: ThinkingField;
}

/**
 * The first two hold the text, and the third Anthropic's blocks with their signatures, all in an assistant's message.
 * `extra_content` is a field of a tool call, in which Gemini has the signature of its thinking. Gemini refuses a call without it:
 * https://ai.google.dev/gemini-api/docs/thought-signatures.
 */
export type ThinkingField = 'reasoning_content' | 'reasoning' | 'thinking_blocks' | 'extra_content';

/** A free request that shows whether the provider accepts a key. It is sent with the provider's headers. */
export interface Probe {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  /**
   * JSON for a POST that the provider cannot fulfil. With a body, 400, 404 and 422 also mean that the key is accepted,
   * unless `isCredentialRefusal` says otherwise; without one, only 2xx does.
   */
  readonly body?: string;
}

/** How long a provider may take, in milliseconds. */
export interface Timeouts {
  /** Name resolution, TCP and TLS together. */
  readonly connectMs: number;
  /** From the end of the request to the head of the response. */
  readonly firstByteMs: number;
  /** Between two parts of the response body. */
  readonly idleMs: number;
}

/** The kinds of providers that a catalogue can declare: servers that an operator runs or rents. */
export const declarableKinds = ['openai_compatible', 'vllm', 'azure'] as const;
export type DeclarableKind = (typeof declarableKinds)[number];

/** The environment variables that hold a provider's global credential, which is the operator's own. */
export interface GlobalVariables {
  readonly apiKey: string;
  /** Field of the provider's credential -> variable name. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The fields of a credential that are not secret, such as endpoint, api_version and deployment_name. */
export type Settings = Readonly<Record<string, unknown>>;

/** One field of a credential. `name` is its name in JSON, and `label` its name for people. */
export interface CredentialField {
  readonly name: string;
  readonly label: string;
  readonly required: boolean;
  /** True for an object of texts. In an environment variable it is written `name=text,name=text`. */
  readonly isMap?: boolean;
}

/** What a provider needs to know of a model of the catalogue to find its target. */
export interface CalledModel {
  /** Name in ai_models.yml. */
  readonly name: string;
  /** The provider's own name of the model. */
  readonly upstreamModel: string;
  /** The deployment that the catalogue gives the model. */
  readonly deploymentName?: string;
}

/** What decides on a deployment: an entry in the credential's `deployments`, the catalogue, the credential's `deployment_name`. */
export const targetSources = ['deployments', 'catalogue', 'deployment_name'] as const;
export type TargetSource = (typeof targetSources)[number];

/** The deployment or upstream model that is called: the value of the request's `model`. */
export interface ChosenTarget {
  readonly target: string;
  /** Null when the provider has no deployments, so that nothing had to be decided. */
  readonly from: TargetSource | null;
}

/**
 * Everything that the rest of the code may know about one provider. Each file in definitions/ makes one. No method
 * receives both a key and a URL, so a key cannot end up in a URL.
 */
export interface Provider<S extends Settings = Settings> {
  /** Name of the file unless a catalogue declares the provider, path segment of the credential routes, and prefix of `litellm_model_name`. */
  readonly id: string;
  /** Name for people. */
  readonly label: string;
  /** The kind of a provider that a catalogue declares. */
  readonly kind?: DeclarableKind;
  /** Other prefixes of `litellm_model_name` for this provider, such as `hosted_vllm`. */
  readonly prefixes: readonly string[];
  /** Prefixes that mean this provider unless the catalogue declares a provider with that id. */
  readonly declarablePrefixes?: readonly string[];
  /** Families of legacy models (ai_models.yml) that this provider serves. */
  readonly families: readonly string[];
  /** Matches names of models that only this provider makes, to notice one that is given to another provider by mistake. */
  readonly ownModels?: RegExp;
  /** True for one provider: the one of a `litellm_model_name` without a slash. */
  readonly isDefault: boolean;
  /** class-validator class of the credential's fields, including `api_key`, with @ApiProperty examples. */
  readonly credentialClass: new () => object;
  /** Every field of `credentialClass`, in the order in which people fill them in, and whether it is required. */
  readonly fields: readonly CredentialField[];
  /** A complete example of a PUT body, for the documentation. Its key is visibly not real. */
  readonly example: Readonly<Record<string, unknown>>;
  readonly globalVariables: GlobalVariables;
  /**
   * Variables that hold the operator's base URL, which replaces `defaultEndpoint`. The first one that is set is used.
   * It applies in both modes, because providers charge for the use of a key and not of an address.
   */
  readonly baseUrlVariables: readonly string[];
  /** The address when neither the tenant nor the operator sets one. Absent when the provider has no address of its own. */
  readonly defaultEndpoint?: string;
  /** The operations that the provider itself has. Others may be served by translation (dialects/service.ts). */
  readonly operations: readonly Operation[];
  readonly differences?: Partial<Readonly<Record<Operation, RequestDifferences>>>;
  /**
   * Differences that depend on the credential, or on whether Tenkey translated the request; they replace those of `differences`.
   * @returns undefined when there are none
   */
  readonly differencesFor?: (
    operation: Operation,
    settings: S,
    isTranslated: boolean,
  ) => RequestDifferences | undefined;
  /**
   * True when a stream reports its usage only if `stream_options.include_usage` requests it, and the provider documents
   * that option for such a request. False or absent: the option is not added, because the usage always comes or the
   * option is not documented.
   */
  hasUsageOption?(
    operation: Operation,
    settings: S,
    request: () => Readonly<Record<string, unknown>>,
  ): boolean;
  /**
   * True when the content of a chat completion may be a list of parts, where OpenAI's format has a string. The client gets
   * the string.
   */
  readonly hasContentParts?: boolean;
  /** The timeouts that differ from those for most providers. */
  readonly timeouts?: Partial<Timeouts>;
  /**
   * Names, in lower case, of the client's request headers that are forwarded and replace those of `headers`. A header
   * that chooses who pays is never listed, because only the credential decides that.
   */
  readonly passedRequestHeaders?: readonly string[];
  /** Those of them that let a request name a further model. */
  readonly modelHeaders?: readonly string[];
  /** @throws InvalidTarget when the settings or the model have an invalid deployment name */
  target(settings: S, model: CalledModel): ChosenTarget;
  /**
   * The address of one operation.
   * @param endpoint the endpoint of the tenant, the operator's base URL, or the default endpoint
   * @param target what `target` has chosen
   * @returns a URL whose origin is the endpoint's and whose path begins with the endpoint's path
   * @throws InvalidTarget when no such URL can be built from the endpoint and the settings
   */
  url(endpoint: URL, settings: S, target: string, operation: Operation): URL;
  /**
   * What a URL of this provider's own form says if it is pasted as the endpoint.
   * @returns the path of the base URL, and fields of the credential; undefined for other URLs
   */
  pastedUrl?(
    url: URL,
  ): { readonly path: string; readonly fields: Readonly<Record<string, string>> } | undefined;
  /** The headers that carry the key or a setting, and any others that the provider requires. Names in lower case. */
  headers(apiKey: Secret, settings: S): Record<string, string>;
  /** @throws InvalidTarget when no URL can be built from the endpoint and the settings */
  probe(endpoint: URL, settings: S): Probe;
  /**
   * True when an error response means that the key is not accepted. Absent: 401 and 403 mean that.
   * @param message the provider's error message
   */
  isCredentialRefusal?(status: number, message: string): boolean;
  /**
   * True when the message of a 401 or 403 refers to the provider's network rules and not to the key. It is called before
   * `isCredentialRefusal`.
   */
  isNetworkRuleRefusal?(message: string): boolean;
}

/** Freezes a provider and checks its type. A file in definitions/ calls this, or a function that calls it. */
export function defineProvider<S extends Settings>(provider: Provider<S>): Provider<S> {
  return Object.freeze(provider);
}
