import { fault, type Finding } from '#database';
import { isOfMissingKey } from './audit-chain';

/** What is wrong with one event, or with several for the same reason. */
export interface AuditFault {
  readonly seq: string;
  readonly fault: string;
  /** The last event with this fault, and how many have it, when there are several. */
  readonly last?: string;
  readonly events?: number;
}

/** Entries that are kept. Of a long chain every event may have a fault of its own. */
const KEPT = 1000;
const REST = 'further faults, which are not listed one by one';

/** The faults of a chain. Consecutive events with the same fault are one entry, and so are all events of one missing key. */
export class AuditFaults {
  readonly list: AuditFault[] = [];
  readonly #latest = new Map<string, number>();

  add(seq: string, fault: string): void {
    const index = this.#latest.get(fault);
    const same = index === undefined ? undefined : this.list[index];
    if (same !== undefined && (isOfMissingKey(fault) || BigInt(same.last ?? same.seq) === BigInt(seq) - 1n)) {
      this.list[index!] = { seq: same.seq, fault, last: seq, events: (same.events ?? 1) + 1 };
      return;
    }
    if (this.list.length >= KEPT) {
      const rest = this.list[KEPT];
      const more = rest === undefined ? {} : { last: seq, events: (rest.events ?? 1) + 1 };
      this.list[KEPT] = { seq: rest?.seq ?? seq, fault: REST, ...more };
      return;
    }
    this.#latest.set(fault, this.list.push({ seq, fault }) - 1);
  }
}

/** A fault of the chain as a sentence. */
export function describeAuditFault({ seq, last, events = 1, fault: reason }: AuditFault): string {
  const which = last === undefined ? `event ${seq}` : `${events} events from ${seq} to ${last}`;
  return `${which}: ${reason}`;
}

/** The faults of the chain, each with what to do. */
export function auditFindings(faults: readonly AuditFault[]): Finding[] {
  return faults.map((each) =>
    fault(
      describeAuditFault(each),
      isOfMissingKey(each.fault)
        ? 'Load that key in ENCRYPTION_KEY_PREVIOUS.'
        : 'Find out who changed the database. npx tenkey audit verify --head shows whether it still has what it had before.',
    ),
  );
}
