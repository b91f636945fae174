import { client, type Schemas } from '../../api/client';
import { RequestFailed } from '../../api/problem';

type Part = Schemas['VerifiedAuditEventsResponse'];

/** What all parts that were verified found. */
export interface ChainResult {
  readonly verified: number;
  readonly findings: readonly Schemas['AuditFindingResponse'][];
  readonly more: number;
  /** Null: no key is loaded, and every event is one without a key. */
  readonly plain: number | null;
  readonly head: string;
  /** Whether the last event was reached. */
  readonly isComplete: boolean;
}

/** Smaller than what the API allows, so that the progress is seen. */
const PART = 10_000;

/** More are not shown: the command line lists all. */
const SHOWN_FINDINGS = 100;

/** Another request verifies for two seconds at most, so the process has a turn for this one soon. */
const RETRIES = 20;
const RETRY_MS = 500;

/**
 * Verifies all events, one request after the other.
 * @param onPart called after each part with the result so far
 * @param signal ends it after the part that is being verified
 * @throws RequestFailed
 */
export async function verifyChain(onPart: (result: ChainResult) => void, signal: AbortSignal): Promise<void> {
  let result: ChainResult | undefined;
  let after: string | undefined;
  do {
    const part = await verifyPart(after, signal);
    if (part === undefined) return;
    onPart((result = add(result, part)));
    after = part.next_after ?? undefined;
  } while (after !== undefined && !signal.aborted);
}

/** @returns undefined when it was stopped before it had its turn */
async function verifyPart(after: string | undefined, signal: AbortSignal): Promise<Part | undefined> {
  for (let tries = 1; !signal.aborted; tries += 1) {
    try {
      const params = { query: { after, limit: PART } };
      const { data } = await client.POST('/api/v1/sysadmin/audit-events/chain/verify', { params });
      return data;
    } catch (error) {
      const isBusy = error instanceof RequestFailed && error.code === 'verification_conflict';
      if (!isBusy || tries > RETRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  return undefined;
}

function add(before: ChainResult | undefined, part: Part): ChainResult {
  const findings = [...(before?.findings ?? []), ...part.findings];
  return {
    verified: (before?.verified ?? 0) + part.verified,
    findings: findings.slice(0, SHOWN_FINDINGS),
    more: (before?.more ?? 0) + part.more + findings.slice(SHOWN_FINDINGS).length,
    plain: part.plain === null ? null : (before?.plain ?? 0) + part.plain,
    head: part.head,
    isComplete: part.next_after === null,
  };
}
