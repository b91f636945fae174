import { setTimeout as wait } from 'node:timers/promises';
import { type LatestVerificationResponse, type VerificationRunResponse } from '#credentials';
import { exitCodes, Interrupted, Refusal } from '../../command-line';
import { type Columns } from '../../output';
import { type SysadminApi } from '../api';
import { RefusedRequest } from '../client';
import { type FilterOptions, filterQuery, inOrder } from './listed-credentials';
import { note } from '../printer';
import { type Run } from '../remote-command';

export interface VerifyAllOptions extends FilterOptions {
  readonly resume?: boolean;
}

type NotAccepted = VerificationRunResponse['faults'][number];

const columns: Columns<NotAccepted> = {
  tenant: (row) => row.tenant,
  provider: (row) => row.provider,
  slot: (row) => row.slot,
  key: (row) => row.masked_key,
  outcome: (row) => row.outcome,
  tenant_id: (row) => row.tenant_id,
};

const path = '/credentials/verify';
const followIt =
  'npx tenkey credentials verify --all --resume follows it, continues one that is paused, and prints the result of one that has finished.';

/** How often to ask how far it is. */
const LOOK_MS = 500;

/** Has Tenkey verify the credentials of all tenants, follows it, and prints those that are not accepted. */
export async function verifyAll({ api, print, options, stop }: Run<VerifyAllOptions>): Promise<void> {
  let run = await started(api, options);
  try {
    while (run.state === 'running') {
      show(progressOf(run));
      await wait(LOOK_MS, undefined, { signal: stop });
      const { verification } = await api.get<LatestVerificationResponse>(path);
      // Another run may have begun since.
      if (verification?.started_at !== run.started_at) throw new Refusal('another verification was started');
      run = verification;
    }
  } catch (error) {
    if (!stop.aborted) throw error;
    throw new Interrupted(`${progressOf(run)}. The verification goes on in Tenkey. ${followIt}`);
  } finally {
    show('');
  }
  const { faults } = run;
  faults.sort((a, b) => inOrder(a.tenant ?? '', b.tenant ?? '') || inOrder(a.provider, b.provider));
  if (faults.length > 0) await print.list([run], () => faults, columns);
  note(`${progressOf(run)}.`);
  if (run.state === 'paused') throw new Refusal(`the verification is paused. ${followIt}`);
  if (run.not_accepted > faults.length) note(`Only the first ${faults.length} of those are shown.`);
  // A mistyped id must not look like good news.
  if (run.total === 0 && run.filter.provider !== undefined) {
    throw new Refusal('no tenant has such a credential for this provider');
  }
  if (run.not_accepted > 0) process.exitCode = exitCodes.fault.code;
}

async function started(
  api: SysadminApi,
  { resume, ...options }: VerifyAllOptions,
): Promise<VerificationRunResponse> {
  if (resume) {
    // It may have finished since the command that started it was stopped.
    const { verification } = await api.get<LatestVerificationResponse>(path);
    if (verification?.state === 'finished') return verification;
  }
  // Only live credentials, unless staged ones are asked for.
  const query = resume
    ? { resume: 'true' }
    : { ...filterQuery(options), staged: String(options.staged ?? false) };
  try {
    return await api.post<VerificationRunResponse>(path, undefined, query);
  } catch (error) {
    if (resume || !(error instanceof RefusedRequest) || error.code !== 'verification_conflict') throw error;
    throw new Refusal(`${error.message.split('\n', 1)[0]!}\n${followIt}`);
  }
}

function progressOf({ verified, total, not_accepted: failed }: VerificationRunResponse): string {
  const of = verified === total ? '' : ` of ${total}`;
  return `${verified}${of} ${total === 1 ? 'credential' : 'credentials'} verified, ${failed} not accepted`;
}

/** Replaces the line of progress on a terminal. */
function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
