import { ApiResponse } from '@nestjs/swagger';
import { Problem, type ProblemCode, problems } from './problem';
import { renderProblem } from './render';

const declared = new WeakMap<object, Map<number, Set<ProblemCode>>>();

/**
 * Documents the problems of a route or controller: one response per status with an example of each code, as the filter renders
 * it. Several uses on one target add up.
 */
export function ApiProblems(...codes: ProblemCode[]): MethodDecorator & ClassDecorator {
  return problemsDecorator('/api', codes);
}

/** The same for a route of the platform API, in the shape that the clients of its path expect. */
export function ApiPlatformProblems(
  path: `/v1/${string}`,
  ...codes: ProblemCode[]
): MethodDecorator & ClassDecorator {
  return problemsDecorator(path, codes);
}

function problemsDecorator(path: string, codes: readonly ProblemCode[]): MethodDecorator & ClassDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const subject = (descriptor?.value as object | undefined) ?? target;
    const known = declared.get(subject) ?? new Map<number, Set<ProblemCode>>();
    declared.set(subject, known);
    for (const code of codes) {
      const isCall = path.startsWith('/v1/') && code === 'endpoint_not_allowed';
      const status: number = isCall ? 424 : problems[code].status;
      known.set(status, (known.get(status) ?? new Set()).add(code));
    }
    for (const [status, ofStatus] of known) {
      const rendered = [...ofStatus].map(
        (code) =>
          [
            code,
            renderProblem(new Problem(code, { status }), { path, requestId: 'req-1', isTenant: false }),
          ] as const,
      );
      const contentType = rendered[0]?.[1].contentType.split(';')[0] ?? 'application/json';
      const decorate = ApiResponse({
        status,
        description: [...ofStatus].map((code) => `\`${code}\`: ${problems[code].title}.`).join('\n\n'),
        content: {
          [contentType]: {
            schema: { type: 'object' },
            examples: Object.fromEntries(rendered.map(([code, { body }]) => [code, { value: body }])),
          },
        },
      });
      if (key !== undefined && descriptor) (decorate as MethodDecorator)(target, key, descriptor);
      else (decorate as ClassDecorator)(target as new () => object);
    }
  };
}
