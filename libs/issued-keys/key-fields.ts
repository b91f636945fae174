import { type FieldFault, Problem } from '#http';
import { keyIdPattern } from './issued-key';

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
