import { applyDecorators } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { type ProblemCode } from './problem';

const prefix = 'x-problem-';

/**
 * Documents the problems of a route, or of all routes of a controller, that not every route of its kind has
 * (openapi/document-routes.ts). Several uses add up.
 */
export function ApiProblems(...codes: ProblemCode[]): MethodDecorator & ClassDecorator {
  // Each code needs a different name, because Nest replaces an extension by a later one of the same name.
  return applyDecorators(...codes.map((code) => ApiExtension(`${prefix}${code}`, true)));
}

/** Removes the declared problems from an operation. @returns their codes */
export function takeDeclaredProblems(operation: object): ProblemCode[] {
  const names = Object.keys(operation).filter((name) => name.startsWith(prefix));
  for (const name of names) Reflect.deleteProperty(operation, name);
  return names.map((name) => name.slice(prefix.length) as ProblemCode);
}
