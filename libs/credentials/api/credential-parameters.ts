import { ApiParam } from '@nestjs/swagger';
import { Problem } from '#http';
import { providers } from '#providers';
import { type Slot } from '../credential';

export const tenantParam = ApiParam({
  name: 'tenant_id',
  format: 'uuid',
  description: "The tenant's `id`.",
});
export const providerParam = ApiParam({ name: 'provider', enum: providers.map(({ id }) => id) });

/** A flag of the query; absent: false. */
export function validFlag(name: string, text: unknown): boolean {
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw notValid(name, 'must be true or false');
}

/** `slot` of the query, undefined when absent. */
export function validSlot<S extends Slot>(text: unknown, allowed: readonly S[]): S | undefined {
  const slot = allowed.find((each) => each === text);
  if (text === undefined || slot !== undefined) return slot;
  throw notValid('slot', `must be one of ${allowed.join(', ')}`);
}

/** `version` of the query, undefined when absent. */
export function validVersion(text: unknown): string | undefined {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^[1-9]\d{0,18}$/.test(text)) return text;
  throw notValid('version', 'must be a version as the list of credentials shows it');
}

/** A body with anything in it: whoever sends it must not believe that it was heeded. */
export function refuseFields(
  body: unknown,
  details: { readonly detail: string; readonly hint: string },
): void {
  if (body === undefined) return;
  // Looked at no deeper than this: what somebody nests may be deeper than a call stack.
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject || Object.keys(body).length > 0) throw new Problem('validation_failed', details);
}

function notValid(path: string, fault: string): Problem {
  const errors = [{ path, message: `${path} ${fault}` }];
  return new Problem('validation_failed', { detail: 'The query is not valid.', errors });
}
