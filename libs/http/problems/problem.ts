import { HttpException } from '@nestjs/common';
import { isDatabaseUnavailable, mayBeCommitted, outageOf } from '#database';

/**
 * Every way Tenkey fails: code -> status and title, grouped by who can fix it. Tests compare this table with the one in
 * docs/problems.md and with the OpenAPI document.
 *
 * `alsoStatus` lists further statuses of the same code; the code that throws then names the one that applies.
 */
export const problems = {
  // The caller: its key
  unauthenticated: { status: 401, title: 'A valid key is required' },
  forbidden: { status: 403, title: 'This key is not allowed to do this' },
  rate_limited: { status: 429, title: 'This key has used up its rate limit' },
  throttled: { status: 429, title: 'Too many wrong keys came from this address' },
  too_many_calls: { status: 429, title: 'Too many calls of this tenant are running' },

  // The caller: its request
  malformed_request: { status: 400, title: 'The request cannot be read' },
  route_not_found: { status: 404, title: 'There is no such route' },
  method_not_allowed: { status: 405, title: 'This route does not support this method' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'This route does not accept this media type' },
  validation_failed: { status: 422, title: 'The request is not valid' },
  credential_validation_failed: { status: 422, title: 'The credential is not valid' },
  endpoint_not_allowed: { status: 422, alsoStatus: [424], title: 'The endpoint is not an allowed address' },
  tenant_not_found: { status: 404, title: 'There is no such tenant' },
  tenant_conflict: { status: 409, title: 'A tenant with this name or id already exists' },
  credential_not_staged: { status: 404, title: 'No credential is staged' },
  credential_conflict: { status: 409, title: 'The state of the credentials does not allow this' },
  verification_conflict: { status: 409, title: 'The verification cannot be started, resumed or paused now' },
  rotation_conflict: { status: 409, title: 'The encryption key cannot be rotated now' },
  key_not_found: { status: 404, title: 'There is no such key' },
  model_not_found: { status: 404, title: 'There is no such model' },
  object_not_found: { status: 404, title: 'There is no such stored object' },
  endpoint_not_supported: {
    status: 400,
    title: 'The provider of this model does not support this operation',
  },
  parameter_not_supported: {
    status: 400,
    title: 'The provider of this model does not support this parameter',
  },

  // The sysadmin: the setup of the tenant
  feature_disabled: { status: 404, title: 'This feature is switched off' },
  tenant_suspended: { status: 403, title: 'The tenant is suspended' },
  model_not_allowed: { status: 403, title: 'The policy of the tenant does not allow this model' },
  credential_not_configured: { status: 424, title: 'No credential is configured' },
  endpoint_not_configured: { status: 424, title: 'No endpoint is configured' },
  credential_unreadable: { status: 424, title: 'The credential cannot be decrypted' },
  credential_tampered: { status: 424, title: 'The credential was changed outside Tenkey' },
  credential_plaintext: { status: 424, title: 'The credential is stored in clear text' },
  credential_rejected: { status: 424, title: 'The provider refused the credential' },
  upstream_network_rules: { status: 424, title: "The provider's network rules refused the call" },
  legacy_model_in_strict_mode: { status: 424, title: 'Legacy models cannot use tenant credentials' },

  // The provider
  upstream_rejected_request: {
    status: 400,
    alsoStatus: [404, 409, 413, 422, 451],
    title: 'The provider refused the request',
  },
  upstream_rate_limited: { status: 429, title: 'The rate limit of the provider is reached' },
  upstream_quota_exhausted: {
    status: 429,
    alsoStatus: [402],
    title: 'The account at the provider has no credit or quota left',
  },
  upstream_overloaded: { status: 503, alsoStatus: [529], title: 'The provider is overloaded' },
  upstream_unavailable: { status: 502, title: 'The provider failed or cannot be reached' },
  upstream_timeout: { status: 504, title: 'The provider took too long' },
  circuit_open: { status: 503, title: 'The provider has not responded several times in a row' },

  // The operator
  overloaded: { status: 503, title: 'Tenkey is overloaded' },
  encryption_key_mismatch: { status: 503, title: 'The encryption key of the database is not loaded' },
  credential_store_unavailable: { status: 503, title: 'The credential store cannot be reached' },
  internal_error: { status: 500, title: 'Tenkey failed' },
} as const satisfies Record<string, { status: number; alsoStatus?: readonly number[]; title: string }>;

export type ProblemCode = keyof typeof problems;

/** One faulty field: where it is and what is wrong with it, never its value. */
export interface FieldFault {
  readonly path: string;
  readonly message: string;
}

/** Plain names, and in `innererror` numbers and booleans too. */
interface UpstreamNames {
  readonly code?: string | undefined;
  readonly type?: string | undefined;
  /** What the content filter found. */
  readonly innererror?: object | undefined;
}

/** What a problem says beyond its code. The texts are for the caller and must hold no input and no secret. */
interface ProblemDetails {
  /** One or two sentences for the caller. */
  readonly detail?: string;
  /** The exact fix: the request to send, the variable to set. */
  readonly hint?: string;
  readonly errors?: readonly FieldFault[];
  readonly providerRequirements?: Readonly<Record<string, readonly string[]>>;
  /** OpenAI's `param`: the field of the request that is at fault. */
  readonly param?: string | undefined;
  /** The provider's own names for the error, which clients know. Only for problems of the group provider. */
  readonly upstream?: UpstreamNames;
  /** Headers of the response: when to try again, the limits, the provider's id of the request. Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** One of the code's `alsoStatus`, when it applies. */
  readonly status?: number | undefined;
  /** For the log only; never sent. */
  readonly cause?: unknown;
}

/** The codes of the errors that the framework throws. */
const codeByStatus: Readonly<Record<number, ProblemCode>> = {
  400: 'malformed_request',
  // Only the file server of the Swagger UI refuses with 403, and it does so for a path that it does not serve.
  403: 'route_not_found',
  404: 'route_not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  414: 'malformed_request',
  415: 'unsupported_media_type',
};

/** The one error that reaches a caller: `throw new Problem('credential_not_configured', { detail, hint })`. */
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

  /**
   * Any error as a problem. Texts of foreign errors are never sent: they may hold input.
   * @param isChange true when the request changes something; the text then says whether it was changed
   */
  static of(error: unknown, isChange = false): Problem {
    if (error instanceof Problem) return error;
    if (isDatabaseUnavailable(error)) {
      const reason = outageOf(error)?.reason;
      const again = reason === undefined ? 'Try again shortly.' : 'Try again when that is corrected.';
      return new Problem('credential_store_unavailable', {
        detail: `${reason ?? 'The database of Tenkey cannot be reached, or is busy.'} ${isChange ? outcomeOf(error, again) : again}`,
        cause: error,
      });
    }
    const status =
      error instanceof HttpException
        ? error.getStatus()
        : (error as { statusCode?: unknown } | null)?.statusCode;
    const code = typeof status === 'number' ? codeByStatus[status] : undefined;
    // The text of the framework's error repeats the path, so only the name is kept.
    if (code !== undefined) return new Problem(code, { cause: new Error((error as Error).name) });
    return new Problem('internal_error', {
      detail: 'An unexpected error occurred. The log has its cause under this request id.',
      cause: error,
    });
  }
}

/** This is true only as long as a change is one transaction, with nothing after it. */
function outcomeOf(error: unknown, again: string): string {
  return mayBeCommitted(error)
    ? 'The change may or may not have been made: check that before you repeat it.'
    : `Nothing was changed. ${again}`;
}
