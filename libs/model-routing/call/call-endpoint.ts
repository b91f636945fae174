import { applyDecorators, HttpCode, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiProblems, type ProblemCode, sysadminPrefix } from '#http';
import { type Operation } from '#providers';

/** The problems that every call can have, and other routes of the platform API cannot. */
export const callProblems = [
  'model_not_found',
  'model_not_allowed',
  'object_not_found',
  'endpoint_not_supported',
  'parameter_not_supported',
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
  'upstream_quota_exhausted',
  'upstream_overloaded',
  'upstream_unavailable',
  'upstream_timeout',
  'circuit_open',
  'overloaded',
  'too_many_calls',
] as const satisfies readonly ProblemCode[];

/** Name -> description and example. */
const responseHeaders = {
  'x-tenkey-request-id': ["Tenkey's id of this call, as in the log", '5f0c2e2a-0d7b-4a43-9a57-0e6f2f0f7c11'],
  'x-client-request-id': [
    "The client's id of this call, from X-Client-Request-Id or X-Request-ID; absent if it sent none that is valid",
    'chat-7f3a',
  ],
  'x-tenkey-provider': ['The provider that responded', 'openai'],
  'x-tenkey-adapter': ['The adapter that found the route: litellm or legacy', 'litellm'],
  'x-tenkey-credential-source': ['Whose key paid: tenant or global', 'tenant'],
  'x-tenkey-credential': ['The key that paid: provider, mask and version', 'openai/...xyz9/v3'],
  'x-tenkey-receipt': [
    `Proof of which key served the call, for POST ${sysadminPrefix}/receipts/verify; absent without ENCRYPTION_KEY`,
    'tkr1.0123456789ab.eyJyZXF1ZXN0X2lkIjoi...',
  ],
  'x-tenkey-dropped-params': [
    'Parameters that were left out because the provider does not have them; absent if there were none',
    'seed',
  ],
} as const;

/** Media type -> schema and examples. */
type ApiContent = Record<string, { schema: object; examples?: Record<string, { value: object }> }>;
const modelName = { type: 'string', description: 'The name of a model in ai_models.yml.' };
const anyObject = { type: 'object', additionalProperties: true };

/** The headers of the response to a call, for the OpenAPI document. */
export function documentedHeaders() {
  return Object.fromEntries(
    Object.entries(responseHeaders).map(([name, [description, example]]) => [
      name,
      { description, schema: { type: 'string' as const, example } },
    ]),
  );
}

/** The OpenAPI documentation of one endpoint. */
export interface EndpointDocumentation {
  readonly summary: string;
  readonly description: string;
  /** The fields that every request must have. */
  readonly required: readonly string[];
  /** Name -> summary and request body. */
  readonly examples: Readonly<Record<string, { readonly summary: string; readonly value: object }>>;
  /** Media type -> an example of the response; undefined for bytes. */
  readonly responses: Readonly<Record<string, unknown>>;
  /** The fields of a form by name. The endpoint reads JSON as well if there are examples. */
  readonly form?: Readonly<Record<string, object>>;
}

/** Declares and documents the endpoint of an operation, `POST /v1/<operation>`. */
export function CallEndpoint(operation: Operation, documentation: EndpointDocumentation): MethodDecorator {
  const { summary, description, responses, form } = documentation;
  return applyDecorators(
    Post(operation),
    HttpCode(200),
    ApiOperation({ summary, description, requestBody: { required: true, content: bodyOf(documentation) } }),
    ...(form ? [RouteConfig({ multipart: true })] : []),
    ApiOkResponse({
      description:
        "The response. If the provider itself uses this format, these are the provider's own bytes.",
      headers: documentedHeaders(),
      content: Object.fromEntries(
        Object.entries(responses).map(([type, example]) => [
          type,
          example === undefined
            ? { schema: { type: 'string', format: 'binary' } }
            : { schema: typeof example === 'string' ? { type: 'string' } : anyObject, example },
        ]),
      ),
    }),
    ApiProblems(...callProblems),
  );
}

/** JSON, a form, or both. */
function bodyOf({ required, examples, form }: EndpointDocumentation): ApiContent {
  const properties = Object.fromEntries(required.map((name) => [name, name === 'model' ? modelName : {}]));
  const schema = { type: 'object', required: [...required], additionalProperties: true, properties };
  const json = { schema, examples: { ...examples } };
  if (form === undefined) return { 'application/json': json };
  const multipart = { schema: { ...schema, properties: { ...properties, ...form } } };
  if (Object.keys(examples).length === 0) return { 'multipart/form-data': multipart };
  return { 'application/json': json, 'multipart/form-data': multipart };
}
