import { type AuditFaults } from './audit-faults';
import { checkValues, type StoredValues } from './personal-values';
import { eventOf, type StoredEvent } from './stored-event';

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

  end(): void {
    for (const seqs of this.#missing.values()) {
      for (const seq of seqs) {
        this.faults.add(seq, 'has lost a personal value, although no event says that it was erased');
      }
    }
  }
}
