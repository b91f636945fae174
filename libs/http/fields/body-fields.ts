import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, ValidateBy, validateSync, type ValidationError } from 'class-validator';
import { type FieldFault, Problem } from '../problems/problem';

/** Field faults of an object by its class-validator class, paths dotted, sorted as declared, input not repeated. */
export function faultsOf<T extends object>(type: new () => T, input: unknown): [T, FieldFault[]] {
  const isObject = typeof input === 'object' && input !== null && !Array.isArray(input);
  if (!isObject) return [new type(), [{ path: '', message: 'the body must be a JSON object' }]];
  // class-transformer descends into every value, as deep as it goes, and calls what a `constructor` in it names. Our
  // fields are flat, so what is nested goes round it.
  const entries = Object.entries(input as Record<string, unknown>);
  const instance = plainToInstance(type, Object.fromEntries(entries.filter(([, value]) => !isNested(value))));
  for (const [name, value] of entries) {
    if (isNested(value) && !(name in Object.prototype)) Object.assign(instance, { [name]: value });
  }
  const errors = validateSync(instance, {
    forbidUnknownValues: false,
    validationError: { target: false, value: false },
  });
  return [instance, flatten(errors, '')];
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
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
 * answered before it. A byte order mark is refused (RFC 8259): the bytes are passed on, and they begin with it.
 * @returns undefined for an empty body
 */
export function jsonOf(body: unknown): unknown {
  if (!Buffer.isBuffer(body)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    throw new Problem('malformed_request', { detail: 'The body is not valid JSON in UTF-8.' });
  }
}

/**
 * Unknown fields are ignored, but one that is almost a known one, by a letter or by how its words are joined, is a slip: what
 * it was to set or to restrict would be lost without a word.
 */
export function misspelt(known: readonly string[], input: unknown): FieldFault[] {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return [];
  const unknown = Object.keys(input).filter((name) => !known.includes(name));
  return known
    .filter((field) => unknown.some((name) => isSlip(joined(name), joined(field))))
    .map((field) => ({ path: field, message: `a field's name is almost ${field}` }));
}

function joined(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

function isSlip(a: string, b: string): boolean {
  // Half of a name of two letters is nothing that it could be mistaken for.
  return a === b || (b.length > 2 && isOneEdit(a, b));
}

function isOneEdit(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const left = [a.slice(start, a.length - end), b.slice(start, b.length - end)] as const;
  const isSwap = left[0].length === 2 && left[0] === [...left[1]].reverse().join('');
  return isSwap || Math.max(left[0].length, left[1].length) <= 1;
}

function fieldsOf(type: new () => object): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

/** The validated object, or a 422 with every fault. */
export function validated<T extends object>(type: new () => T, input: unknown): T {
  const [instance, faults] = faultsOf(type, input);
  const errors = [...misspelt(fieldsOf(type), input), ...faults];
  if (errors.length > 0) {
    throw new Problem('validation_failed', { detail: 'Some fields are not valid; see errors.', errors });
  }
  return instance;
}

/**
 * The parameters of the query, or a 422 for a name that the route does not have: who misspells `slot` must not change another
 * one than they meant.
 */
export function knownQuery<Name extends string>(
  query: unknown,
  names: readonly Name[],
): Readonly<Partial<Record<Name, unknown>>> {
  const given = query as Readonly<Partial<Record<Name, unknown>>>;
  if (Object.keys(given).every((name) => (names as readonly string[]).includes(name))) return given;
  const message = names.length > 0 ? `the query may have ${names.join(', ')}` : 'this route takes no query';
  const errors = [{ path: 'query', message }];
  throw new Problem('validation_failed', {
    detail: 'The query has a name that this route does not know.',
    errors,
  });
}

/** As PostgreSQL reads it, of any version: the ids of a platform's tenants are the platform's to choose. */
export const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A tenant id from the path, or a 422 that does not repeat it. */
export function validTenantId(text: string): string {
  if (uuidPattern.test(text)) return text.toLowerCase();
  const fault = { path: 'tenant_id', message: 'tenant_id must be a UUID' };
  throw new Problem('validation_failed', { detail: 'The tenant id is not a UUID.', errors: [fault] });
}

const timeForm = /^2\d{3}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/**
 * A date (its beginning, in UTC) or a time with its zone (RFC 3339), from the year 2000 on. Not all of ISO 8601: its weeks
 * and days of the year are no Date, and a time without its zone would be whatever the server's clock is set to.
 */
export function IsTime(): PropertyDecorator {
  const message =
    '$property must be a date such as 2026-01-31, or a time with its zone such as 2026-01-31T12:00:00Z';
  const isTime = (value: unknown) => typeof value === 'string' && timeForm.test(value) && isRealTime(value);
  return ValidateBy({ name: 'isTime', validator: { validate: isTime } }, { message });
}

/**
 * Not February 30, which a Date moves.
 * @param text begins with a day such as 2026-01-31; its form is checked before
 */
export function isRealTime(text: string): boolean {
  const day = text.slice(0, 10);
  return !Number.isNaN(Date.parse(text)) && new Date(day).toISOString().startsWith(day);
}
