import { type VerifyCredentialResponse } from '#credentials';
import { exitCodes, Interrupted, Refusal } from '../../command-line';
import { type Columns } from '../../output';
import { RefusedRequest } from '../client';
import { credentialsOf, forEachTenant, inOrder } from './listed-credentials';
import { note } from '../printer';
import { type Run } from '../remote-command';

/** A credential that is not accepted: the outcome of its verification, or the code of the problem that prevented one. */
interface NotAccepted {
  readonly tenant: string;
  readonly tenant_id: string;
  readonly provider: string;
  readonly masked_key: string;
  readonly outcome: string;
  readonly message: string;
}

const columns: Columns<NotAccepted> = {
  tenant: (row) => row.tenant,
  provider: (row) => row.provider,
  key: (row) => row.masked_key,
  outcome: (row) => row.outcome,
  message: (row) => row.message,
  tenant_id: (row) => row.tenant_id,
};

/** These concern every credential, so that going on would repeat one fault many times. */
const faultsOfAll = ['unauthenticated', 'forbidden', 'feature_disabled'];
/** The credential was deleted after the list was read. */
const faultsOfDeleted = ['tenant_not_found', 'credential_not_configured'];

/** Verifies the live credentials of all tenants, and prints those that are not accepted, also when it is stopped early. */
export async function verifyAll({ api, print, options, stop }: Run<{ provider?: string }>): Promise<void> {
  const found: NotAccepted[] = [];
  const done = { tenants: 0, total: 0, credentials: 0 };
  const verify = async (tenant: string, tenantId: string, provider: string, mask: string) => {
    const known = { tenant, tenant_id: tenantId, provider, masked_key: mask };
    try {
      const path = `${await api.credentialPath(tenantId, provider)}/verify`;
      const { outcome, message, masked_key: now } = await api.post<VerifyCredentialResponse>(path);
      if (outcome !== 'accepted') found.push({ ...known, masked_key: now, outcome, message });
    } catch (error) {
      if (!(error instanceof RefusedRequest) || faultsOfAll.includes(error.code)) throw error;
      if (faultsOfDeleted.includes(error.code)) return;
      found.push({ ...known, outcome: error.code, message: error.message.split('\n', 1)[0]! });
    }
    done.credentials += 1;
    show();
  };
  const show = () => {
    if (!process.stderr.isTTY) return;
    process.stderr.write(
      `\r\u001b[K${done.tenants} of ${done.total} tenants, ${done.credentials} credentials verified, ${found.length} not accepted`,
    );
  };
  let failure: Error | undefined;
  try {
    await forEachTenant(
      api,
      async ({ id, name }) => {
        const list = await credentialsOf(api, id);
        for (const { provider, masked_key: mask } of list?.credentials ?? []) {
          if (options.provider === undefined || provider === options.provider) {
            await verify(name, id, provider, mask);
          }
        }
        done.tenants += 1;
        show();
      },
      (total) => void (done.total = total),
    );
  } catch (error) {
    failure = error as Error;
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
  found.sort((a, b) => inOrder(a.tenant, b.tenant) || inOrder(a.provider, b.provider));
  if (found.length > 0) await print.list(found, (row) => [row], columns);
  const all = done.tenants === done.total ? '' : `of the ${done.total} `;
  const verified = `${done.credentials} ${done.credentials === 1 ? 'credential' : 'credentials'} of ${done.tenants} ${all}${done.total === 1 ? 'tenant' : 'tenants'} verified, ${found.length} not accepted.`;
  if (failure !== undefined && stop.aborted) throw new Interrupted(verified);
  note(verified);
  if (failure !== undefined) throw failure;
  // A mistyped id must not look like good news.
  if (done.credentials === 0 && options.provider !== undefined) {
    throw new Refusal('no tenant has a credential for this provider');
  }
  if (found.length > 0) process.exitCode = exitCodes.fault.code;
}
