import { type OpenAPIObject } from '@nestjs/swagger';
import { problems } from '../problems/problem';
import { type ErrorFormat } from '../problems/render';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** The component that describes a format of errors. */
export const errorComponents = {
  problem: { name: 'Problem', mediaType: 'application/problem+json' },
  openai: { name: 'OpenAiError', mediaType: 'application/json' },
  anthropic: { name: 'AnthropicError', mediaType: 'application/json' },
} as const satisfies Record<ErrorFormat, { readonly name: string; readonly mediaType: string }>;

const code = { $ref: '#/components/schemas/ProblemCode' };
const innererror = {
  type: 'object',
  additionalProperties: true,
  description: "What the provider's content filter found; only if it refused the request.",
};
const providerCode = {
  type: 'string',
  description: "The provider's own code for an error that it reported; otherwise the same as `tenkey_code`.",
};

/** The shapes that render.ts gives to a problem. */
export const errorSchemas: Schemas = {
  ProblemCode: {
    type: 'string',
    enum: Object.keys(problems),
    description: 'Why a request failed. docs/problems.md says what to do about each code.',
  },
  Problem: {
    type: 'object',
    description: 'An error of the sysadmin API, in the format of RFC 9457.',
    required: ['type', 'title', 'status', 'detail', 'instance', 'code'],
    properties: {
      type: { type: 'string', description: '`urn:tenkey:problem:` and the code.' },
      title: { type: 'string', description: 'What the code means.' },
      status: { type: 'integer', description: 'The status of the response.' },
      detail: { type: 'string', description: 'What went wrong in this request.' },
      instance: {
        type: 'string',
        description: '`urn:tenkey:request:` and the id of the request, as in the log.',
      },
      code,
      errors: {
        type: 'array',
        items: { $ref: '#/components/schemas/FieldFault' },
        description: 'All faulty fields. Absent if the problem concerns no field.',
      },
      hint: { type: 'string', description: 'The fix: the request to send, the variable to set.' },
      provider_requirements: {
        type: 'object',
        additionalProperties: { type: 'array', items: { type: 'string' } },
        description: 'The required fields of a credential, by provider; with `credential_validation_failed`.',
      },
    },
  },
  FieldFault: {
    type: 'object',
    required: ['path', 'message'],
    properties: {
      path: { type: 'string', description: 'The name of the field; empty for the body as a whole.' },
      message: { type: 'string', description: 'What is wrong. It does not repeat the value.' },
    },
  },
  OpenAiError: {
    type: 'object',
    description: "An error of the Platform API, in OpenAI's format.",
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['message', 'type', 'code', 'param', 'tenkey_code'],
        properties: {
          message: { type: 'string', description: 'What went wrong, and the fix.' },
          type: {
            type: 'string',
            description:
              "The type that the provider reported; otherwise one of OpenAI's types, which follows from the status.",
          },
          code: providerCode,
          param: {
            type: ['string', 'null'] as unknown as string,
            description: 'The parameter that is at fault, if it is known.',
          },
          tenkey_code: code,
          innererror,
        },
      },
    },
  },
  AnthropicError: {
    type: 'object',
    description: "An error of /v1/messages and the routes below it, in Anthropic's format.",
    required: ['type', 'error', 'request_id'],
    properties: {
      type: { type: 'string', enum: ['error'] },
      error: {
        type: 'object',
        required: ['type', 'message', 'code', 'tenkey_code'],
        properties: {
          type: { type: 'string', description: "One of Anthropic's types, which follows from the status." },
          message: { type: 'string', description: 'What went wrong, and the fix.' },
          code: providerCode,
          param: {
            type: 'string',
            description: 'The parameter that is at fault; absent if it is not known.',
          },
          tenkey_code: code,
          innererror,
        },
      },
      request_id: { type: 'string', description: 'The id of the request, as in the log.' },
    },
  },
};
