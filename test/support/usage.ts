import { randomUUID } from 'node:crypto';
import { type UsageRecord } from '#usage';
import { superKey, type TestApp } from './app';
import { until } from './until';

/** A usage record as the API returns it. */
export type ShownRecord = Record<string, any>;

/** Waits for the expected number of records and returns them, oldest first. Throws when there are more or fewer. */
export async function usageRecords(
  tenkey: TestApp,
  expected: number,
  query = '',
  sysadminKey = superKey,
): Promise<ShownRecord[]> {
  let items: ShownRecord[] = [];
  await until(async () => {
    const answer = await tenkey
      .http()
      .get(`/api/v1/sysadmin/usage/records?limit=1000${query}`)
      .set('X-API-Key', sysadminKey);
    if (answer.status !== 200) throw new Error(`no records: ${answer.status} ${answer.text}`);
    ({ items } = answer.body as { items: ShownRecord[] });
    return items.length >= expected;
  }, `${expected} records of usage`);
  if (items.length === expected) return items.reverse();
  throw new Error(`${items.length} records, expected ${expected}: ${JSON.stringify(items)}`);
}

/** A record of a call that was completed just now, with some fields changed. */
export function recordOf(tenantId: string, changes: Partial<UsageRecord> = {}): UsageRecord {
  return {
    requestId: randomUUID(),
    clientRequestId: null,
    at: new Date(),
    tenantId,
    tenantKeyId: null,
    model: 'gpt-4o',
    operation: 'chat/completions',
    adapter: 'litellm',
    provider: 'openai',
    host: 'api.openai.com',
    target: 'gpt-4o',
    source: 'tenant',
    mask: '...w4k8',
    version: '1',
    outcome: 'completed',
    status: 200,
    code: null,
    upstreamStatus: 200,
    attempts: 1,
    inputTokens: 3,
    outputTokens: 2,
    cachedTokens: null,
    cacheWriteTokens: null,
    searchUnits: null,
    isEstimated: false,
    firstByteMs: 5,
    totalMs: 9,
    requestBytes: 60,
    responseBytes: 200,
    ...changes,
  };
}
