import { createHash, randomBytes } from 'node:crypto';
import { type EntityManager } from 'typeorm';
import { type AuditFaults } from './chain/audit-faults';
import { eventOf, type StoredEvent } from './chain/stored-event';

/**
 * A field of an event that can be erased later: the name or the contact of a tenant. The event itself, which is never changed, has a
 * salted hash of it. The value and its salt are stored next to the event. Without the salt, nobody can find out the value by trying.
 */
export class PersonalValue {
  constructor(readonly value: string) {}
}

/** A value as it is stored. */
interface StoredValue {
  readonly seq: string;
  /** Where the event has the hash, such as `after.name`. */
  readonly path: string;
  readonly salt: string;
  readonly value: string;
}

/** The values of events, by number and path. */
export type StoredValues = ReadonlyMap<string, ReadonlyMap<string, StoredValue>>;

type Details = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Details =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Calls `replace` for each field of an object inside the details, and returns the details with what it returns. */
function mapFields(
  details: Details,
  replace: (path: string, value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(details).map(([group, fields]) => [
      group,
      isObject(fields)
        ? Object.fromEntries(
            Object.entries(fields).map(([name, value]) => [name, replace(`${group}.${name}`, value)]),
          )
        : fields,
    ]),
  );
}

/** Replaces personal values by their hashes. @returns what the event holds, and what is stored next to it */
export function withHashes(details: Details): {
  details: Record<string, unknown>;
  values: Omit<StoredValue, 'seq'>[];
} {
  const values: Omit<StoredValue, 'seq'>[] = [];
  const hashed = mapFields(details, (path, value) => {
    if (!(value instanceof PersonalValue)) return value;
    const stored = { path, salt: randomBytes(16).toString('base64url'), value: value.value };
    values.push(stored);
    return { salted_hash: hashOfValue(stored) };
  });
  return { details: hashed, values };
}

function hashOfValue({ path, salt, value }: Omit<StoredValue, 'seq'>): string {
  return createHash('sha256')
    .update(JSON.stringify([salt, path, value]))
    .digest('base64url');
}

function hashIn(value: unknown): string | undefined {
  const hash = isObject(value) && Object.keys(value).length === 1 ? value['salted_hash'] : undefined;
  return typeof hash === 'string' ? hash : undefined;
}

/** The details with the values that are stored. An erased value stays a hash. */
export function withValues(details: Details, values: StoredValues | undefined, seq: string): Details {
  const known = values?.get(seq);
  if (known === undefined) return details;
  return mapFields(details, (path, value) => {
    const stored = known.get(path);
    return stored !== undefined && hashIn(value) === hashOfValue(stored) ? stored.value : value;
  });
}

/** Whether a value is missing, and whether one is not that of its hash. */
function checkValues(
  details: Details,
  values: StoredValues,
  seq: string,
): { missing: boolean; changed: boolean } {
  const known = values.get(seq);
  const result = { missing: false, changed: false };
  let used = 0;
  mapFields(details, (path, value) => {
    const hash = hashIn(value);
    const stored = known?.get(path);
    if (hash === undefined) return value;
    if (stored === undefined) result.missing = true;
    else {
      used += 1;
      if (hashOfValue(stored) !== hash) result.changed = true;
    }
    return value;
  });
  if (used !== (known?.size ?? 0)) result.changed = true;
  return result;
}

export async function storeValues(
  transaction: EntityManager,
  seq: string,
  tenantId: string | null,
  values: readonly Omit<StoredValue, 'seq'>[],
): Promise<void> {
  for (const { path, salt, value } of values) {
    await transaction.query(
      'insert into audit_values (seq, path, tenant_id, salt, value) values ($1, $2, $3, $4, $5)',
      [seq, path, tenantId, salt, value],
    );
  }
}

export async function valuesOf(manager: EntityManager, seqs: readonly string[]): Promise<StoredValues> {
  const values = new Map<string, Map<string, StoredValue>>();
  if (seqs.length === 0) return values;
  const rows = await manager.query<StoredValue[]>(
    'select seq::text, path, salt, value from audit_values where seq = any($1::bigint[])',
    [seqs],
  );
  for (const row of rows)
    values.set(row.seq, (values.get(row.seq) ?? new Map<string, StoredValue>()).set(row.path, row));
  return values;
}

/** The newest event must be the deletion of the tenant, which says that its values are erased. */
export async function eraseValues(transaction: EntityManager, tenantId: string): Promise<void> {
  await transaction.query('delete from audit_values where tenant_id = $1', [tenantId]);
}

/** Those of the tenants whose values an event after this one erases. */
async function erasedAfter(
  transaction: EntityManager,
  seq: string,
  tenantIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const known = tenantIds.filter((each) => each !== '');
  if (known.length === 0) return new Set();
  const rows = await transaction.query<{ id: string }[]>(
    `select distinct tenant_id as id from audit_events
     where seq > $1 and tenant_id = any($2::uuid[]) and action = 'tenant.delete' and details -> 'erased' = 'true'::jsonb`,
    [seq, known],
  );
  return new Set(rows.map(({ id }) => id));
}

/** What a verification finds in the personal values of events: those that were changed, and those that are missing without a reason. */
export class ValueFaults {
  /** The numbers of events without a value, by tenant. They may be erased by an event that follows. */
  readonly #missing = new Map<string, string[]>();

  constructor(private readonly faults: AuditFaults) {}

  /** @param event that itself has no fault */
  read(event: StoredEvent, values: StoredValues): void {
    const { seq, tenantId, action } = event;
    const details = eventOf(event)?.details ?? {};
    const { missing, changed } = checkValues(details, values, seq);
    if (changed) this.faults.add(seq, 'has a personal value that was changed or added');
    if (missing) this.#missing.set(tenantId ?? '', [...(this.#missing.get(tenantId ?? '') ?? []), seq]);
    if (action === 'tenant.delete' && details['erased'] === true) this.#missing.delete(tenantId ?? '');
  }

  /**
   * Reports what is missing for good.
   * @param through the last event that was read. One after it may erase values as well, and is itself verified by the next part
   */
  async end(transaction: EntityManager, through: string): Promise<void> {
    const erased = await erasedAfter(transaction, through, [...this.#missing.keys()]);
    for (const [tenantId, seqs] of this.#missing) {
      if (erased.has(tenantId)) continue;
      for (const seq of seqs) {
        this.faults.add(seq, 'has lost a personal value, although no event says that it was erased');
      }
    }
  }
}
