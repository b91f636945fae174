import { counted } from '../command-line';
import { visible } from '../output';
import { type Step, type TenantPlan } from './tenant-plan';

const signs = { create: '+', update: '~', delete: '-' } as const;

/** A plan as lines: one for each step, and one for each field that it changes. Without steps there are none. */
export function textOfPlan({ tenantId, name, steps }: TenantPlan): string {
  if (steps.length === 0) return '';
  const [first] = steps;
  const sign = first?.of === 'tenant' ? signs[first.change] : signs.update;
  const note = sign === '-' ? ', with its credentials and keys' : '';
  return [`${sign} tenant ${name} (${tenantId})${note}`, ...steps.flatMap(linesOf)]
    .map((line) => `${visible(line)}\n`)
    .join('');
}

function linesOf(step: Step): string[] {
  const fields = Object.entries(step.fields).map(
    ([field, [before, after]]) => [field, before, after] as const,
  );
  const lines = fields
    .filter(([field, before]) => !(field === 'name' && before === null))
    .map(([field, before, after]) =>
      step.change === 'create'
        ? `${field}: ${shown(after)}`
        : `${field}: ${shown(before)} -> ${shown(after)}`,
    );
  if (step.of === 'tenant') return lines.map((line) => `    ${line}`);
  return [`    ${signs[step.change]} ${titleOf(step)}`, ...lines.map((line) => `        ${line}`)];
}

function titleOf(step: Exclude<Step, { of: 'tenant' }>): string {
  if (step.of === 'key') return `key ${step.name}${step.id === null ? '' : ` (${step.id})`}`;
  const [before, after] = step.masks;
  if (step.change === 'update' && !step.isRekeyed) return `credential ${step.provider} ${before}`;
  return `credential ${step.provider} ${[before, after].filter((mask) => mask !== null).join(' -> ')}`;
}

function shown(value: unknown): string {
  if (value === null) return '(none)';
  if (Array.isArray(value)) return value.join(', ') || '(empty)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** How many tenants, credentials and keys the plans create, update and delete. */
export function countsOf(plans: readonly TenantPlan[]): Record<string, Record<string, number>> {
  const counts: Record<string, Record<string, number>> = {};
  for (const { of, change } of plans.flatMap(({ steps }) => steps)) {
    const ofChange = (counts[change] ??= {});
    ofChange[of] = (ofChange[of] ?? 0) + 1;
  }
  return counts;
}

/** @returns for example `to create: 1 tenant, 2 credentials; to update: 1 key` */
export function summaryOf(plans: readonly TenantPlan[]): string {
  const counts = countsOf(plans);
  const parts = Object.entries(counts).map(([change, ofChange]) => {
    const things = Object.entries(ofChange).map(([of, count]) => counted(count, of));
    return `to ${change}: ${things.join(', ')}`;
  });
  return parts.length === 0 ? 'nothing to change' : parts.join('; ');
}
