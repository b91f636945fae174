import { type OpenAPIObject } from '@nestjs/swagger';
import { type Audience, takeAcceptsBearer, takeAudience } from '../access/access';
import { takeDeclaredProblems } from '../problems/api-problems';
import { Problem, type ProblemCode, problems } from '../problems/problem';
import { type ErrorFormat, errorFormatOf, renderProblem } from '../problems/render';
import { aliasesOf } from '../requests/aliases';
import { errorComponents, errorSchemas } from './error-schemas';

type PathItem = OpenAPIObject['paths'][string];
type Operation = NonNullable<PathItem['get']>;
type Responses = Operation['responses'];
type Examples = NonNullable<NonNullable<OpenAPIObject['components']>['examples']>;

const methods = ['get', 'put', 'post', 'patch', 'delete'] as const satisfies readonly (keyof PathItem)[];
const codes = Object.keys(problems) as ProblemCode[];

/** The keys that open the routes of an audience: names of the document's security schemes. */
const keysOf: Readonly<Record<Audience, NonNullable<Operation['security']>>> = {
  sysadmin: [{ 'super-api-key': [] }],
  platform: [{ 'platform-key': [] }, { 'tenant-key': [] }],
  public: [],
};

const problemsOfAudience: Readonly<Record<Audience, readonly ProblemCode[]>> = {
  sysadmin: ['unauthenticated', 'forbidden', 'throttled', 'credential_store_unavailable', 'internal_error'],
  platform: [
    'unauthenticated',
    'forbidden',
    'rate_limited',
    'throttled',
    'malformed_request',
    'tenant_not_found',
    'tenant_suspended',
    'credential_store_unavailable',
    'internal_error',
  ],
  public: [],
};
const problemsOfBody: readonly ProblemCode[] = [
  'malformed_request',
  'payload_too_large',
  'unsupported_media_type',
  'validation_failed',
];

/**
 * Completes every operation of the document with what follows from its kind and its decorators: the keys that open it, and
 * its problems. Each problem refers to one of the components that are added for it.
 */
export function documentRoutes(document: OpenAPIObject): void {
  const examples: Examples = {};
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of methods) {
      const operation = item[method];
      const audience = operation && takeAudience(operation);
      if (operation === undefined || audience === undefined) continue;
      operation.security = takeAcceptsBearer(operation)
        ? [...keysOf[audience], { 'sysadmin-bearer': [] }]
        : keysOf[audience];
      describeAliases(operation, path);
      // Nest leaves the text empty where a route gives none.
      for (const response of Object.values(operation.responses)) {
        if (response && 'description' in response) response.description ||= 'Success.';
      }
      const declared = takeDeclaredProblems(operation);
      const known = new Set([...problemsOfKind(path, operation, audience), ...declared]);
      Object.assign(
        operation.responses,
        responsesOf(
          path,
          codes.filter((code) => known.has(code)),
          examples,
        ),
      );
    }
  }
  const { components } = document;
  document.components = {
    ...components,
    schemas: { ...components?.schemas, ...errorSchemas },
    examples: { ...components?.examples, ...examples },
  };
}

/**
 * The aliases of a route are not operations of their own, since a generated client has no use for a second method that does the same.
 */
function describeAliases(operation: Operation, path: string): void {
  const aliases = aliasesOf(path).map((alias) => `\`${alias}\``);
  if (aliases.length === 0) return;
  const { description } = operation;
  const sentence = `Aliases: ${aliases.join(', ')}.`;
  operation.description = description ? `${description}\n\n${sentence}` : sentence;
}

/** The problems that every route of this kind has. */
function problemsOfKind(path: string, operation: Operation, audience: Audience): readonly ProblemCode[] {
  const hasParameters = audience === 'sysadmin' && (operation.parameters ?? []).length > 0;
  return [
    ...problemsOfAudience[audience],
    ...(operation.requestBody ? problemsOfBody : []),
    ...(hasParameters ? (['validation_failed'] as const) : []),
    ...(path.includes('{tenant_id}') ? (['tenant_not_found'] as const) : []),
  ];
}

/** One response for each status. @param examples receives the examples that the responses refer to */
function responsesOf(path: string, known: readonly ProblemCode[], examples: Examples): Responses {
  const format = errorFormatOf({ path });
  const { name: component, mediaType } = errorComponents[format];
  const responses: Responses = {};
  const all = known.flatMap((code) => statusesOf(code, format).map((status) => ({ code, status })));
  for (const status of new Set(all.map((each) => each.status))) {
    const ofStatus = all.filter((each) => each.status === status).map(({ code }) => code);
    const names = ofStatus.map((code) => {
      const name = `${component}.${code}${status === problems[code].status ? '' : `.${status}`}`;
      const context = { path, requestId: '5f0c2e2a-0d7b-4a43-9a57-0e6f2f0f7c11', isTenant: false };
      examples[name] ??= { value: renderProblem(new Problem(code, { status }), context).body };
      return [code, { $ref: `#/components/examples/${name}` }] as const;
    });
    responses[status] = {
      description: ofStatus.map((code) => `\`${code}\`: ${problems[code].title}.`).join('\n\n'),
      content: {
        [mediaType]: {
          schema: { $ref: `#/components/schemas/${component}` },
          examples: Object.fromEntries(names),
        },
      },
    };
  }
  return responses;
}

/** The statuses with which a code reaches the clients of a format. */
function statusesOf(code: ProblemCode, format: ErrorFormat): readonly number[] {
  const entry: { readonly status: number; readonly alsoStatus?: readonly number[] } = problems[code];
  const { status, alsoStatus = [] } = entry;
  if (format === 'problem') return [status];
  // A call meets the address policy only after its route was decided.
  if (code === 'endpoint_not_allowed') return alsoStatus;
  // Only Anthropic's clients know its status.
  if (code === 'upstream_overloaded') return format === 'anthropic' ? alsoStatus : [status];
  return [status, ...alsoStatus];
}
