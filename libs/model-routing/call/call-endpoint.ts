import { applyDecorators, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiPlatformProblems, type ProblemCode, sysadminPrefix } from '#http';
import { type Operation } from '#providers';

/** What a platform call can meet. */
const callProblems = [
  'unauthenticated',
  'forbidden',
  'rate_limited',
  'malformed_request',
  'validation_failed',
  'tenant_not_found',
  'tenant_suspended',
  'model_not_found',
  'endpoint_not_supported',
  'parameter_not_supported',
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

const answerHeaders = {
  'x-tenkey-request-id': ['Tenkey’s id of this call, as in the log', '5f0c2e2a-0d7b-4a43-9a57-0e6f2f0f7c11'],
  'x-tenkey-provider': ['Who answered', 'openai'],
  'x-tenkey-adapter': ['How the route was found: litellm or legacy', 'litellm'],
  'x-tenkey-credential-source': ['Whose key paid: tenant or global', 'tenant'],
  'x-tenkey-credential': ['Which key: provider, mask and version', 'openai/...xyz9/v3'],
  'x-tenkey-receipt': [
    `Proof of which key served the call, for POST ${sysadminPrefix}/receipts/verify; absent without ENCRYPTION_KEY`,
    'tkr1.0123456789ab.eyJyZXF1ZXN0X2lkIjoi...',
  ],
  'x-tenkey-dropped-params': ['Parameters left out because the provider has none such; absent: none', 'seed'],
} as const;

/** The documentation of one endpoint. */
export interface CallDocumentation {
  readonly summary: string;
  readonly description: string;
  /** Fields that every request has, for the schema. */
  readonly required: readonly string[];
  /** Name -> summary and body. */
  readonly examples: Readonly<Record<string, { readonly summary: string; readonly value: object }>>;
  /** Media type of the answer -> an example of it; undefined for bytes. */
  readonly answers: Readonly<Record<string, unknown>>;
  /** For forms: the fields of the schema, by name, in place of examples. */
  readonly form?: Readonly<Record<string, object>>;
}

/** `POST /v1/<operation>`: what every platform call has in common, documented. */
export function PlatformCall(operation: Operation, documentation: CallDocumentation): MethodDecorator {
  const { summary, description, required, examples, answers, form } = documentation;
  const schema = { type: 'object', required: [...required], additionalProperties: true };
  return applyDecorators(
    Post(operation),
    HttpCode(200),
    ApiOperation({ summary, description }),
    ...(form
      ? [
          RouteConfig({ multipart: true }),
          ApiConsumes('multipart/form-data'),
          ApiBody({ schema: { ...schema, properties: form } as object }),
        ]
      : [ApiBody({ schema, examples: { ...examples } })]),
    ApiOkResponse({
      description: 'The answer. Where the provider speaks this format itself, its own bytes.',
      headers: Object.fromEntries(
        Object.entries(answerHeaders).map(([name, [text, example]]) => [
          name,
          { description: text, schema: { type: 'string', example } },
        ]),
      ),
      content: Object.fromEntries(
        Object.entries(answers).map(([type, example]) => [
          type,
          example === undefined
            ? { schema: { type: 'string', format: 'binary' } }
            : { schema: { type: typeof example === 'string' ? 'string' : 'object' }, example },
        ]),
      ),
    }),
    ApiPlatformProblems(`/v1/${operation}`, ...callProblems),
  );
}
