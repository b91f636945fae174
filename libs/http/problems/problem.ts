/**
 * Every way Tenkey fails: code -> status and title, grouped by who can fix it. Tests compare this literal with the table in
 * docs/problems.md and with the OpenAPI document.
 *
 * `alsoStatus` lists further statuses of the same code; the thrower then names the one that applies.
 */
export const problems = {
  // The caller: who it is
  unauthenticated: { status: 401, title: 'A valid key is required' },
  forbidden: { status: 403, title: 'This key may not do that' },
  rate_limited: { status: 429, title: 'This key has used up its rate limit' },

  // The caller: what it sent
  malformed_request: { status: 400, title: 'The request cannot be read' },
  route_not_found: { status: 404, title: 'There is no such route' },
  method_not_allowed: { status: 405, title: 'This route does not have that method' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The body has another media type than this route takes' },
  validation_failed: { status: 422, title: 'The request is not valid' },
  credential_validation_failed: { status: 422, title: 'The credential is not valid' },
  endpoint_not_allowed: { status: 422, alsoStatus: [424], title: 'The endpoint is not an allowed address' },
  tenant_not_found: { status: 404, title: 'There is no such tenant' },
  tenant_conflict: { status: 409, title: 'A tenant with this name or id exists' },
  credential_not_staged: { status: 404, title: 'No credential is staged' },
  credential_conflict: { status: 409, title: 'The credentials are not in the state that this needs' },
  key_not_found: { status: 404, title: 'There is no such key' },
  model_not_found: { status: 404, title: 'There is no such model' },
  endpoint_not_supported: { status: 400, title: 'The provider of this model does not have this operation' },
  parameter_not_supported: { status: 400, title: 'The provider of this model does not have this parameter' },

  // The sysadmin: how the tenant is set up
  feature_disabled: { status: 404, title: 'Tenant credentials are switched off' },
  tenant_suspended: { status: 403, title: 'The tenant is suspended' },
  credential_not_configured: { status: 424, title: 'No credential is configured' },
  endpoint_not_configured: { status: 424, title: 'No endpoint is configured' },
  credential_unreadable: { status: 424, title: 'The credential cannot be decrypted' },
  credential_tampered: { status: 424, title: 'The credential was changed outside Tenkey' },
  credential_plaintext: { status: 424, title: 'The credential is stored in clear text' },
  credential_rejected: { status: 424, title: 'The provider refused the credential' },
  upstream_network_rules: { status: 424, title: "The provider's network rules refused the call" },
  legacy_model_in_strict_mode: { status: 424, title: 'A legacy model has no tenant credentials' },

  // The provider
  upstream_rejected_request: {
    status: 400,
    alsoStatus: [404, 413, 422],
    title: 'The provider refused the request',
  },
  upstream_rate_limited: { status: 429, title: 'The provider limits the rate' },
  upstream_unavailable: { status: 502, title: 'The provider cannot be reached or failed' },
  upstream_timeout: { status: 504, title: 'The provider took too long' },

  // The operator
  credential_store_unavailable: { status: 503, title: 'The credential store cannot be reached' },
  internal_error: { status: 500, title: 'Tenkey failed' },
} as const satisfies Record<string, { status: number; alsoStatus?: readonly number[]; title: string }>;

export type ProblemCode = keyof typeof problems;

/** One faulty field: where it is and what is wrong with it, never what it was. */
export interface FieldFault {
  readonly path: string;
  readonly message: string;
}

/** What a problem says beyond its code. Texts are for the caller and must hold no input and no secret. */
export interface ProblemDetails {
  /** One or two sentences for the caller. */
  readonly detail?: string;
  /** The exact fix: the request to send, the variable to set. */
  readonly hint?: string;
  readonly errors?: readonly FieldFault[];
  readonly providerRequirements?: Readonly<Record<string, readonly string[]>>;
  /** OpenAI's `param`: the field of the request that is at fault. */
  readonly param?: string;
  /** Value of the answer's Retry-After header. */
  readonly retryAfter?: string;
  /** The provider's own id of the call, for its support. */
  readonly upstreamRequestId?: string;
  /** One of the code's `alsoStatus`, when it applies. */
  readonly status?: number;
  /** For the log only; never rendered. */
  readonly cause?: unknown;
}

/** The one error that reaches a caller. `throw new Problem('credential_not_configured', { detail, hint })`. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly title: string;

  constructor(
    readonly code: ProblemCode,
    readonly details: ProblemDetails = {},
  ) {
    super(details.detail ?? problems[code].title, { cause: details.cause });
    this.status = details.status ?? problems[code].status;
    this.title = problems[code].title;
  }
}
