import { fault, type Finding, warning } from '#database';
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
  readonly #list: AuditFault[] = [];
  /** The entry of all faults that are not kept. */
  #rest: AuditFault | undefined;
  readonly #latest = new Map<string, number>();

  get list(): readonly AuditFault[] {
    return this.#rest === undefined ? this.#list : [...this.#list, this.#rest];
  }

  add(seq: string, fault: string): void {
    const index = this.#latest.get(fault);
    const same = index === undefined ? undefined : this.#list[index];
    if (same !== undefined && (isOfMissingKey(fault) || BigInt(same.last ?? same.seq) === BigInt(seq) - 1n)) {
      this.#list[index!] = extended(same, seq);
    } else if (this.#list.length < (isOfMissingKey(fault) ? 2 * KEPT : KEPT)) {
      this.addOfChain(seq, fault);
    } else {
      this.#rest = this.#rest === undefined ? { seq, fault: REST } : extended(this.#rest, seq);
    }
  }

  /** Adds a fault that concerns the chain as a whole, which is always listed. */
  addOfChain(seq: string, fault: string): void {
    this.#latest.set(fault, this.#list.push({ seq, fault }) - 1);
  }
}

function extended(fault: AuditFault, seq: string): AuditFault {
  return { ...fault, last: seq, events: (fault.events ?? 1) + 1 };
}

/** How many faults a list stands for. */
export function countAuditFaults(faults: readonly AuditFault[]): number {
  return faults.reduce((sum, { fault, events = 1 }) => sum + (fault === REST ? events : 1), 0);
}

/** A fault of the chain as a sentence. */
export function describeAuditFault({ seq, last, events = 1, fault: reason }: AuditFault): string {
  const which = last === undefined ? `event ${seq}` : `${events} events from ${seq} to ${last}`;
  return `${which}: ${reason}`;
}

/** The faults of the chain, each with what to do. */
export function auditFindings(faults: readonly AuditFault[]): Finding[] {
  return faults.map((each) => {
    const finding = fault(
      describeAuditFault(each),
      isOfMissingKey(each.fault)
        ? 'Load that key in ENCRYPTION_KEY_PREVIOUS.'
        : 'Find out who changed the database. npx tenkey audit verify --head shows whether it still has what it had before.',
    );
    return each.fault === REST ? { ...finding, count: countAuditFaults([each]) } : finding;
  });
}

/** What the faults keep the retention from. @param days AUDIT_RETENTION_DAYS */
export function retentionFindings([first]: readonly AuditFault[], days: number): Finding[] {
  if (days === 0 || first === undefined) return [];
  const fix = isOfMissingKey(first.fault)
    ? 'Load the missing key. If it is lost for good, these events stay: set AUDIT_RETENTION_DAYS=0 to end this warning.'
    : 'It goes on when the events verify again, as after a restore.';
  return [
    warning(
      `AUDIT_RETENTION_DAYS deletes nothing from event ${first.seq} on, because events that do not verify are kept with all that follow`,
      fix,
    ),
  ];
}
