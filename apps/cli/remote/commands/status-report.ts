import { type EncryptionResponse } from '#credentials';
import { type ReadinessPageResponse } from '#model-routing';
import { type UsageReportResponse } from '#usage';
import { Interrupted } from '../../command-line';
import { type SysadminApi } from '../api';
import { FailedRequest, RefusedRequest } from '../client';
import { READINESS_PAGE } from './readiness.command';

/** What /ready responds; its class belongs to the service, apps/api. */
export interface Ready {
  readonly status: 'ready' | 'not_ready';
  readonly mode: string;
  readonly database: string;
  readonly models: number;
  readonly catalogue: 'ok' | 'stale';
  readonly catalogue_reason?: string;
  readonly receipts: 'on' | 'off';
  readonly reason?: string;
}

/** The readiness report of all tenants in numbers, with those expiry warnings that come first. */
export interface ReadinessTotals {
  readonly blockers: readonly string[];
  readonly breaking: number;
  readonly tenants: Record<string, number>;
  readonly credentials: Record<string, number>;
  readonly expiring: ReadinessPageResponse['warnings'];
}

/** A part that could not be read, for example because the key may not see it. */
export interface NotShown {
  readonly not_shown: string;
}

/** What --json prints. */
export interface StatusReport {
  readonly version: string | null;
  readonly ready: Ready;
  readonly encryption: EncryptionResponse | NotShown;
  readonly readiness: ReadinessTotals | NotShown;
  readonly usage_today: Pick<UsageReportResponse, 'total' | 'lost_calls'> | NotShown;
}

export async function statusReport(api: SysadminApi): Promise<StatusReport> {
  // The first request is alone, so that a wrong address or key is reported once.
  const ready = (await api.client.send('GET', '/ready', { alsoStatus: [503] })) as Ready;
  const [version, encryption, readiness, usage] = await Promise.all([
    versionOf(api),
    shown(api.get<EncryptionResponse>('/encryption')),
    shown(readinessTotals(api)),
    shown(usageToday(api)),
  ]);
  return { version, ready, encryption, readiness, usage_today: usage };
}

/** The key may open only some routes, and without the database some respond with a problem. */
async function shown<Part extends object>(part: Promise<Part>): Promise<Part | NotShown> {
  try {
    return await part;
  } catch (error) {
    const isOfThisPart =
      error instanceof FailedRequest || (error instanceof RefusedRequest && error.code !== 'unauthenticated');
    if (!isOfThisPart) throw error;
    return { not_shown: error.message };
  }
}

/** Null if Tenkey does not serve the document that has it. */
async function versionOf({ client }: SysadminApi): Promise<string | null> {
  try {
    const document = (await client.send('GET', '/docs/openapi.json')) as { info?: { version?: string } };
    return document.info?.version ?? null;
  } catch (error) {
    // A proxy may serve something else there.
    if (error instanceof Interrupted) throw error;
    return null;
  }
}

async function usageToday(api: SysadminApi): Promise<Pick<UsageReportResponse, 'total' | 'lost_calls'>> {
  const today = new Date().toISOString().slice(0, 10);
  const query = { since: today, until: today, group_by: '', limit: 1 };
  const { total, lost_calls: lost } = await api.get<UsageReportResponse>('/usage', query);
  return { total, lost_calls: lost };
}

async function readinessTotals(api: SysadminApi): Promise<ReadinessTotals> {
  const tenants: Record<string, number> = {};
  const credentials: Record<string, number> = {};
  const expiring: ReadinessPageResponse['warnings'] = [];
  let breaking = 0;
  let blockers: readonly string[] = [];
  const count = (counts: Record<string, number>, name: string) =>
    void (counts[name] = (counts[name] ?? 0) + 1);
  for await (const page of api.pages<ReadinessPageResponse>('/readiness', { limit: READINESS_PAGE })) {
    breaking += page.breaking;
    blockers = page.blockers;
    expiring.push(...page.warnings);
    for (const { state, providers } of page.items) {
      count(tenants, state);
      for (const { credential } of providers) if (credential?.status) count(credentials, credential.status);
    }
  }
  expiring.sort((a, b) => (a.expires_at < b.expires_at ? -1 : 1));
  return { blockers, breaking, tenants, credentials, expiring };
}
