import { ValidateBy } from 'class-validator';
import { type FieldFault, isRealTime, Problem } from '#http';
import { keyIdPattern } from './issued-key';

/** A moment with its offset: without one it would be whatever the server's clock is set to. */
export function IsMoment(): PropertyDecorator {
  const message = '$property must be a date and time with its offset, e.g. 2027-01-31T00:00:00Z';
  const isMoment = (value: unknown) =>
    typeof value === 'string' && momentPattern.test(value) && isRealTime(value);
  return ValidateBy({ name: 'isMoment', validator: { validate: isMoment } }, { message });
}

const momentPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** @returns null for never; a 422 for what is over already, since such a key would open nothing */
export function expiryOf(text: string | null | undefined): Date | null {
  if (text === undefined || text === null) return null;
  const date = new Date(text);
  if (date.getTime() > Date.now()) return date;
  throw notValid({ path: 'expires_at', message: 'expires_at must be in the future' });
}

export function notValid(...errors: FieldFault[]): Problem {
  return new Problem('validation_failed', { detail: 'Some fields are not valid; see errors.', errors });
}

/** A key's id from the path, or a 422 that does not repeat it: somebody may have put the key itself there. */
export function validKeyId(text: string): string {
  if (keyIdPattern.test(text)) return text;
  throw notValid({ path: 'key_id', message: 'key_id must be the id of a key, not the key' });
}

export function keyNotFound(): Problem {
  return new Problem('key_not_found', { detail: 'There is no key with this id.' });
}
