import { plainToInstance } from 'class-transformer';
import { isUUID, validateSync, type ValidationError } from 'class-validator';
import { type FieldFault, Problem } from './problem';

/** Field faults of an object by its class-validator class, paths dotted, sorted as declared, input not repeated. */
export function faultsOf<T extends object>(type: new () => T, input: unknown): [T, FieldFault[]] {
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
  if (!isObject) return [new type(), [{ path: '', message: 'the body must be a JSON object' }]];
  const instance = plainToInstance(type, input);
  const errors = validateSync(instance, {
    forbidUnknownValues: false,
    validationError: { target: false, value: false },
  });
  return [instance, flatten(errors, '')];
}

function flatten(errors: readonly ValidationError[], prefix: string): FieldFault[] {
  return errors.flatMap((error) => {
    const path = prefix + error.property;
    const own = Object.values(error.constraints ?? {}).map((message) => ({ path, message }));
    return [...own, ...flatten(error.children ?? [], `${path}.`)];
  });
}

/**
 * A body's JSON, read by the route and not by the framework, so that a switched-off feature and a bad path are
 * answered before it.
 * @returns undefined for an empty body
 */
export function jsonOf(body: unknown): unknown {
  if (!Buffer.isBuffer(body)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Problem('malformed_request', { detail: 'The body is not valid JSON in UTF-8.' });
  }
}

/** The validated object, or a 422 with every fault. */
export function validated<T extends object>(type: new () => T, input: unknown): T {
  const [instance, errors] = faultsOf(type, input);
  if (errors.length > 0) {
    throw new Problem('validation_failed', { detail: 'Some fields are not valid; see errors.', errors });
  }
  return instance;
}

/** A tenant id from the path, or a 422 that does not repeat it. */
export function validTenantId(text: string): string {
  if (isUUID(text)) return text.toLowerCase();
  const fault = { path: 'tenant_id', message: 'tenant_id must be a UUID' };
  throw new Problem('validation_failed', { detail: 'The tenant id is not a UUID.', errors: [fault] });
}
