import { type ImportedTenant } from '#credentials';
import { Problem, uuidPattern, validated } from '#http';
import { CreateTenantRequest, tenantStates } from '#tenants';
import { type DeclaredProviders } from './declared-providers';
import { readCredential, type ReadCredential, type Reading, timeOf } from './credentials';
import { type EneoTenant } from './database';
import { entriesOf, shownText, type Skipped } from './entries';

/** A tenant of Eneo as far as it can be imported. */
export interface ReadTenant extends ImportedTenant {
  /** Its name for the plan. */
  readonly shownName: string;
  readonly credentials: readonly ReadCredential[];
  readonly skipped: readonly Skipped[];
  readonly notes: readonly string[];
}

/** Why neither the tenant nor its credentials can be imported. */
export interface UnreadableTenant {
  readonly id: string;
  readonly shownName: string;
  readonly fault: string;
}

export function readTenant(
  tenant: EneoTenant,
  reading: Reading,
  declared: DeclaredProviders,
): ReadTenant | UnreadableTenant {
  const shownName = shownText(tenant.name);
  const notes: string[] = [];
  const fields = fieldsOf(tenant, notes);
  if (typeof fields === 'string') return { id: shownText(tenant.id), shownName, fault: fields };
  const { entries, skipped } = entriesOf(tenant, reading.registry, declared);
  const credentials = new Map<string, ReadCredential>();
  const faults: Skipped[] = [...skipped];
  for (const entry of entries) {
    const read = readCredential(entry, reading);
    if ('action' in read) faults.push(read);
    else if (!credentials.has(read.provider.id)) credentials.set(read.provider.id, read);
    else
      faults.push({ provider: read.provider.id, reason: 'another row is for this provider', action: 'skip' });
  }
  return {
    fields,
    shownName,
    createdAt: timeOf([tenant.createdAt]),
    credentials: [...credentials.values()].sort((a, b) => (a.provider.id < b.provider.id ? -1 : 1)),
    skipped: faults,
    notes,
  };
}

/** The fields of a new tenant, checked like the body of a POST; or what is wrong with it. */
function fieldsOf(tenant: EneoTenant, notes: string[]): ImportedTenant['fields'] | string {
  const { name, displayName } = tenant;
  const id = tenant.id.toLowerCase();
  if (!uuidPattern.test(id)) return 'its id is not a UUID';
  const known = tenantStates.find((state) => state === tenant.state.trim().toLowerCase());
  if (known === undefined) notes.push('its state is not known, so it is suspended');
  const request = { id, name, state: known ?? 'suspended' };
  const faults = faultsOf(request);
  if (faults !== undefined) return faults;
  if (displayName === null || displayName.trim() === '') return checked(request, id);
  const named = { ...request, display_name: displayName };
  if (faultsOf(named) === undefined) return checked(named, id);
  notes.push('without its display name, which is not valid');
  return checked(request, id);
}

function faultsOf(request: object): string | undefined {
  try {
    validated(CreateTenantRequest, request);
    return undefined;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return (error.details.errors ?? []).map(({ message }) => message).join('; ');
  }
}

function checked(request: object, id: string): ImportedTenant['fields'] {
  return { ...validated(CreateTenantRequest, request), id };
}
