import fc from 'fast-check';
import { callInputs } from './bad-inputs/calls';
import { ingredients, type Input } from './bad-inputs/ingredients';
import { requestInputs } from './bad-inputs/requests';
import { sysadminInputs } from './bad-inputs/sysadmin';

/** Requests of which each is wrong in at least one way that must be noticed. */
export function badInputs(tenant: string): fc.Arbitrary<Input> {
  const given = ingredients(tenant);
  const { tenants, audit, credentials } = sysadminInputs(tenant, given);
  const { calls } = callInputs(tenant, given);
  const { unread, huge, misdirected, floods, notHttp } = requestInputs(tenant, given);
  return fc.oneof(
    { weight: 24, arbitrary: tenants },
    { weight: 3, arbitrary: audit },
    { weight: 26, arbitrary: credentials },
    { weight: 22, arbitrary: calls },
    { weight: 6, arbitrary: unread },
    { weight: 2, arbitrary: huge },
    { weight: 14, arbitrary: misdirected },
    { weight: 2, arbitrary: floods },
    { weight: 4, arbitrary: notHttp },
  );
}
