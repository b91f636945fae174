import { UsageRecord } from '#usage';
import { insertRecords } from '../../../libs/usage/records/usage-tables';
import { seeded } from '../../faults/numbers';
import { providerPlans, type SeededProvider } from './plan';
import { type SeededTenant, type SeedTarget } from './seed';

const HOUR_MS = 3_600_000;
const DAYS = 14;
/** Records in one statement. */
const BATCH = 5000;

/** Calls of a tenant in each hour of a working day in Sweden. */
const callsByHour = [
  0, 0, 0, 0, 0, 0.02, 0.1, 0.5, 1.2, 1.5, 1.6, 1.3, 0.8, 1.4, 1.5, 1.2, 0.7, 0.3, 0.1, 0.1, 0.1, 0.05, 0, 0,
];
const weekendShare = 0.12;
const largeFactor = 10;

/** The provider that fails in the last hours, for how many hours, and how many calls an hour a tenant makes at least. */
export const failing = {
  provider: 'mistral' satisfies SeededProvider,
  hours: 3,
  share: 0.6,
  leastCalls: 0.7,
} as const;

/** The time to the first byte, and for each token of the answer. */
const latencies: Readonly<Record<SeededProvider, readonly [firstByteMs: number, perTokenMs: number]>> = {
  openai: [420, 9],
  azure: [380, 8],
  anthropic: [650, 12],
  mistral: [350, 7],
  ovhcloud: [520, 14],
  berget: [300, 11],
  vllm: [180, 18],
};

interface Stored {
  readonly tenant_id: string;
  readonly provider: string;
  readonly staged: boolean;
  readonly masked_key: string;
  readonly version: string | number;
}

/** Writes the calls of the last 14 days. @returns their number */
export async function seedUsage(target: SeedTarget, tenants: readonly SeededTenant[]): Promise<number> {
  const stored = await liveCredentials(target);
  const random = seeded(14);
  let count = 0;
  let batch: UsageRecord[] = [];
  const write = async () => {
    await insertRecords(target.database.manager, batch);
    count += batch.length;
    batch = [];
  };
  const now = Date.now();
  const currentHour = Math.floor(now / HOUR_MS);
  for (let hour = currentHour - DAYS * 24 + 1; hour <= currentHour; hour += 1) {
    for (const tenant of tenants) {
      for (const { provider } of tenant.credentials) {
        const credential = stored.get(`${tenant.id} ${provider}`);
        if (credential === undefined) continue;
        const isFailing = provider === failing.provider && hour > currentHour - failing.hours;
        // Also at night there are enough calls of it to see that it fails.
        const usual = Math.max(callsIn(hour), isFailing ? failing.leastCalls : 0);
        const expected = (usual * (tenant.isLarge ? largeFactor : 1)) / tenant.credentials.length;
        for (let calls = Math.floor(expected + random()); calls > 0; calls -= 1) {
          const at = hour * HOUR_MS + Math.floor(random() * HOUR_MS);
          const record = recordOf({ at, tenant, provider, credential, isFailing, random });
          if (at < now) batch.push(record);
        }
      }
    }
    if (batch.length >= BATCH) await write();
  }
  await write();
  return count;
}

/** How many calls a tenant makes in an hour since 1970, on average. */
function callsIn(hour: number): number {
  const time = new Date(hour * HOUR_MS);
  const isWeekend = [0, 6].includes(time.getUTCDay());
  return callsByHour[(time.getUTCHours() + 1) % 24]! * (isWeekend ? weekendShare : 1);
}

async function liveCredentials({ api }: SeedTarget): Promise<Map<string, Stored>> {
  const all = new Map<string, Stored>();
  let cursor: string | null = null;
  do {
    const page: { items: Stored[]; next_cursor: string | null } = await api(
      'GET',
      `/credentials?limit=500&staged=false${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    for (const item of page.items) all.set(`${item.tenant_id} ${item.provider}`, item);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return all;
}

interface Call {
  readonly at: number;
  readonly tenant: SeededTenant;
  readonly provider: SeededProvider;
  readonly credential: Stored;
  readonly isFailing: boolean;
  readonly random: () => number;
}

function recordOf({ at, tenant, provider, credential, isFailing, random }: Call): UsageRecord {
  const model = oneOf(providerPlans[provider].models, random);
  const isEmbedding = /embedding|e5/.test(model);
  // The product of two random numbers has a long tail, as times and lengths have.
  const spread = () => 0.4 + 2.4 * random() * random();
  const [firstByteMs, perTokenMs] = latencies[provider];
  const outputTokens = isEmbedding ? 0 : Math.floor(180 * spread());
  const inputTokens = Math.floor((isEmbedding ? 220 : 900) * spread());
  const waitedMs = Math.floor((isEmbedding ? 60 : firstByteMs) * spread());
  const failure = failureOf(isFailing ? failing.share : 0.006, isFailing, random);
  const hasLeft = failure === undefined && !isEmbedding && random() < 0.008;
  return Object.assign(new UsageRecord(), {
    requestId: uuidFrom(random),
    clientRequestId: null,
    at: new Date(at),
    tenantId: tenant.id,
    tenantKeyId: tenant.keyIds.length === 0 ? null : oneOf(tenant.keyIds, random),
    model,
    operation: isEmbedding ? 'embeddings' : 'chat/completions',
    adapter: 'litellm',
    provider,
    host: '127.0.0.1',
    target: model,
    source: 'tenant',
    mask: credential.masked_key,
    version: String(credential.version),
    outcome: failure !== undefined ? 'failed' : hasLeft ? 'client_left' : 'completed',
    status: failure?.status ?? 200,
    code: failure?.code ?? null,
    upstreamStatus: failure?.upstreamStatus ?? 200,
    attempts: failure === undefined ? 1 : 2,
    inputTokens: failure === undefined ? inputTokens : null,
    outputTokens: failure === undefined && !isEmbedding ? outputTokens : null,
    cachedTokens: failure === undefined && random() < 0.3 ? Math.floor(inputTokens / 2) : null,
    cacheWriteTokens: null,
    searchUnits: null,
    isEstimated: hasLeft,
    firstByteMs: failure === undefined ? waitedMs : null,
    totalMs: waitedMs + Math.floor(outputTokens * perTokenMs * (hasLeft ? random() : 1)),
    requestBytes: inputTokens * 5,
    responseBytes: failure === undefined ? outputTokens * 6 + 400 : 0,
  } satisfies UsageRecord);
}

function failureOf(share: number, isFailing: boolean, random: () => number) {
  if (random() >= share) return undefined;
  return isFailing
    ? ({ status: 502, code: 'upstream_unavailable', upstreamStatus: 503 } as const)
    : ({ status: 429, code: 'upstream_rate_limited', upstreamStatus: 429 } as const);
}

function oneOf<Item>(items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)]!;
}

function uuidFrom(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
