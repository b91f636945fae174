import { type ProblemCode } from '#http';

/** What a platform call can meet, for its documentation. */
export const callProblems = [
  'unauthenticated',
  'malformed_request',
  'validation_failed',
  'tenant_not_found',
  'tenant_suspended',
  'model_not_found',
  'endpoint_not_supported',
  'payload_too_large',
  'unsupported_media_type',
  'credential_not_configured',
  'endpoint_not_configured',
  'endpoint_not_allowed',
  'credential_unreadable',
  'credential_tampered',
  'credential_plaintext',
  'credential_rejected',
  'upstream_network_rules',
  'legacy_model_in_strict_mode',
  'upstream_rejected_request',
  'upstream_rate_limited',
  'upstream_unavailable',
  'upstream_timeout',
  'credential_store_unavailable',
  'internal_error',
] as const satisfies readonly ProblemCode[];
