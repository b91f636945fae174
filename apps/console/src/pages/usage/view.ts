import { useParameters } from '../../parts/parameters';
import { quantities, type Quantity } from '../../parts/plots/plot-data';
import { type UsageFilter } from '../../parts/usage/usage-data';
import { type Range, type RangeName, rangeOf, ranges } from './range';

export const groups = { tenant: 'Tenant', model: 'Model', provider: 'Provider' } as const;
export type Group = keyof typeof groups;

/** What the page shows. All of it is in the address, so that it can be shared. */
export interface View extends UsageFilter {
  readonly range: Range;
  readonly by: Group;
  readonly quantity: Quantity;
}

/** The parameters of the address. Null removes one. */
export type ViewChange = Partial<Record<'range' | 'since' | 'until' | 'by' | 'what' | Group, string | null>>;

export function useView(): [View, (change: ViewChange) => void] {
  const [parameters, changeParameters] = useParameters();
  const get = (name: string) => parameters.get(name) ?? '';
  const oneOf = <Name extends string>(name: string, known: Record<Name, unknown>, usual: Name): Name =>
    Object.hasOwn(known, get(name)) ? (get(name) as Name) : usual;
  const view: View = {
    range: rangeOf(oneOf<RangeName>('range', ranges, '7d'), get('since'), get('until')),
    by: oneOf<Group>('by', groups, 'tenant'),
    quantity: oneOf<Quantity>('what', quantities, 'calls'),
    tenant: isUuid(get('tenant')) ? get('tenant') : undefined,
    provider: get('provider') || undefined,
    model: get('model') || undefined,
  };
  // Each view is an entry in the browser's history: the reader goes back to it.
  const change = (changes: ViewChange) => changeParameters(changes, { replace: false });
  return [view, change];
}

/** What a row of the table leads to: what is inside of it. Undefined: nothing is left to look into. */
export function drillDown({ by, ...filter }: View, key: string): ViewChange | undefined {
  const inside = (['model', 'tenant', 'provider'] as const).find(
    (each) => each !== by && filter[each] === undefined,
  );
  return inside && { [by]: key, by: inside };
}

function isUuid(text: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);
}
