import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import { type FieldFault, Problem } from '../problems/problem';
import { isTypoOf } from './edit-distance';

/**
 * The JSON of a body. Routes parse it and not the framework, so that they can first refuse a bad path or a feature that is
 * switched off. A byte order mark is refused (RFC 8259), since the bytes of a call are passed on as they are.
 * @returns undefined for an empty body
 * @throws Problem malformed_request
 */
export function jsonOf(body: unknown): unknown {
  if (!Buffer.isBuffer(body)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw new Problem('malformed_request', { detail: 'The body is not valid JSON in UTF-8.' });
  }
}

/** Refuses a body that has fields, so that no client believes that they had an effect. */
export function refuseFields(
  body: unknown,
  details: { readonly detail: string; readonly hint: string },
): void {
  if (body === undefined) return;
  // Not checked any deeper: a nested body can be deeper than the call stack.
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject || Object.keys(body).length > 0) throw new Problem('validation_failed', details);
}

/**
 * The fields of a request.
 * @param type a class with the decorators of class-validator
 * @throws Problem validation_failed with every fault
 */
export function validated<T extends object>(type: new () => T, input: unknown): T {
  const [[instance], misspelt, faults] = checkedFields(input, type);
  const errors = [...misspelt, ...faults];
  if (errors.length > 0) {
    throw new Problem('validation_failed', { detail: 'Some fields are not valid; see errors.', errors });
  }
  return instance;
}

/**
 * Checks an object whose fields are declared by one or more classes.
 * @returns an instance of each class, the declared names that are misspelt, the faults of the values in the order of the classes, and
 *   the names that no class declares. A path is dotted, and empty for an input that is not an object. No fault repeats the input.
 */
export function checkedFields<T extends readonly object[]>(
  input: unknown,
  ...types: { readonly [Index in keyof T]: new () => T[Index] }
): [instances: T, misspelt: FieldFault[], faults: FieldFault[], unknown: string[]] {
  const classes = types as readonly (new () => object)[];
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    const fault = { path: '', message: 'the body must be a JSON object' };
    return [classes.map((type) => new type()) as unknown as T, [], [fault], []];
  }
  const declared = classes.map(declaredNames);
  const instances = classes.map((type, index) => instanceOf(type, declared[index]!, input));
  const faults = instances.flatMap((instance) =>
    flatten(
      validateSync(instance, {
        forbidUnknownValues: false,
        validationError: { target: false, value: false },
      }),
      '',
    ),
  );
  const names = declared.flat();
  const unknown = Object.keys(input).filter((name) => !names.includes(name));
  return [instances as unknown as T, misspeltNames(names, unknown), faults, unknown];
}

/**
 * class-transformer gets only declared names, because its time grows with the square of their number. It descends into every value,
 * however deep, and calls what a `constructor` in it names. All fields are flat, so nested values are copied without it.
 */
function instanceOf<T extends object>(type: new () => T, names: readonly string[], input: object): T {
  const entries = Object.entries(input).filter(([name]) => names.includes(name));
  const instance = plainToInstance(type, Object.fromEntries(entries.filter(([, value]) => !isNested(value))));
  return Object.assign(instance, Object.fromEntries(entries.filter(([, value]) => isNested(value))));
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function flatten(errors: readonly ValidationError[], prefix: string): FieldFault[] {
  return errors.flatMap((error) => {
    const path = prefix + error.property;
    const faults = Object.values(error.constraints ?? {}).map((message) => ({ path, message }));
    return [...faults, ...flatten(error.children ?? [], `${path}.`)];
  });
}

function declaredNames(type: new () => object): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

/**
 * A name that is almost a declared one is refused: what the client meant to set or to restrict would be lost silently.
 */
function misspeltNames(declared: readonly string[], unknown: readonly string[]): FieldFault[] {
  return declared
    .filter((field) => unknown.some((name) => isTypoOf(field, name)))
    .map((field) => ({ path: field, message: `did you mean ${field}?` }));
}

/** A UUID of any version, as PostgreSQL reads it: a platform chooses the ids of its tenants itself. */
export const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The tenant id of a path.
 * @throws Problem validation_failed, which does not repeat the text
 */
export function validTenantId(text: string): string {
  if (uuidPattern.test(text)) return text.toLowerCase();
  throw new Problem('validation_failed', {
    detail: 'The tenant id is not a UUID.',
    errors: [{ path: 'tenant_id', message: 'tenant_id must be a UUID' }],
  });
}
