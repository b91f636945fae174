import { seeded } from '../../faults/numbers';
import { municipalities, type Municipality } from './municipalities';

export type SeededProvider = 'openai' | 'azure' | 'anthropic' | 'mistral' | 'ovhcloud' | 'berget' | 'vllm';

/** How many of a hundred tenants use each provider, and what they call there. */
export const providerPlans: Readonly<Record<SeededProvider, { percent: number; models: readonly string[] }>> =
  {
    openai: { percent: 60, models: ['gpt-4o', 'gpt-4o', 'text-embedding-3-small'] },
    azure: { percent: 45, models: ['azure-gpt-4o'] },
    berget: { percent: 30, models: ['llama-berget', 'llama-berget', 'multilingual-e5-large'] },
    mistral: { percent: 25, models: ['mistral-large'] },
    anthropic: { percent: 15, models: ['claude-sonnet'] },
    ovhcloud: { percent: 15, models: ['llama-ovhcloud'] },
    vllm: { percent: 10, models: ['gemma-vllm'] },
  };

/** What is unusual about a tenant's first credential. */
export type Incident =
  | 'tampered'
  | 'unreadable'
  | 'rejected'
  | 'missing'
  | 'expired'
  | 'expires in 1 day'
  | 'expires in 7 days'
  | 'expires in 30 days'
  | 'staged'
  | 'previous'
  | 'suspended';

/** How many of 290 tenants have each; of fewer tenants, proportionally fewer, but at least one. */
const incidentCounts: Readonly<Record<Incident, number>> = {
  rejected: 4,
  'expires in 7 days': 4,
  missing: 3,
  staged: 3,
  'expires in 1 day': 2,
  expired: 2,
  unreadable: 2,
  tampered: 1,
  previous: 1,
  suspended: 2,
  'expires in 30 days': 8,
};
/** With so few tenants there is one of each. */
export const fewestTenants = Object.keys(incidentCounts).length * 2;

export interface TenantPlan extends Municipality {
  readonly providers: readonly [SeededProvider, ...SeededProvider[]];
  readonly incident: Incident | undefined;
  readonly keyNames: readonly string[];
}

/** The same for the same number of tenants. */
export function planOf(count: number): TenantPlan[] {
  if (count < fewestTenants || count > municipalities.length)
    throw new Error(`the number of tenants must be ${fewestTenants} to ${municipalities.length}`);
  const random = seeded(290);
  const incidents = incidentsOf(count);
  // Tenants of all counties, whatever their number.
  const chosen = municipalities.filter(
    (_, at) =>
      Math.floor((at * count) / municipalities.length) !==
      Math.floor(((at - 1) * count) / municipalities.length),
  );
  const step = Math.floor(count / incidents.length);
  return chosen.map((municipality, at) => ({
    ...municipality,
    providers: providersFrom(random),
    incident: at % step === step - 1 ? incidents[Math.floor(at / step)] : undefined,
    keyNames: ['chat assistant', 'case summaries'].filter(() => municipality.isLarge || random() < 0.3),
  }));
}

function incidentsOf(count: number): Incident[] {
  const lists = Object.entries(incidentCounts).map(([incident, of290]) =>
    Array<Incident>(Math.max(1, Math.floor((of290 * count) / 290))).fill(incident as Incident),
  );
  // In turns, so that incidents of one kind are not in neighbouring tenants.
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) => lists.flatMap((list) => list[turn] ?? [])).flat();
}

/** One to three. */
function providersFrom(random: () => number): TenantPlan['providers'] {
  const names = Object.keys(providerPlans) as SeededProvider[];
  const chosen = names.filter((name) => random() * 100 < providerPlans[name].percent);
  const [first = 'openai', ...others] = chosen.sort(() => random() - 0.5).slice(0, 3);
  return [first, ...others];
}
