import { Problem } from '../problems/problem';

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
