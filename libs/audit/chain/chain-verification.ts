import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EntityManager } from 'typeorm';
import { type FernetService } from '#crypto';
import { Problem } from '#http';
import { ValueFaults, valuesOf } from '../personal-values';
import { faultOf, FIRST, nextOf, NOTHING, type ReadSoFar } from './audit-chain';
import { type Checkpoint, checkpointOf } from './audit-checkpoint';
import { type AuditFault, AuditFaults } from './audit-faults';
import { type StoredEvent, storedEvents } from './stored-event';

/** How many events are in memory at once. A longer page would keep the event loop busy for longer when it arrives. */
const PAGE = 200;
/** After this many events, everything else that waits in the process has its turn. */
const TURN = 25;

/** What a verification has found. */
export interface AuditVerification {
  /** How many events it read. */
  readonly events: number;
  /** How many events before these were deleted because of AUDIT_RETENTION_DAYS. Absent: none. */
  readonly expired?: number;
  /**
   * How many events were made without an encryption key. A chain with only such events may come from an instance without a
   * key, or may have been forged with write access to the database. Absent when no key is loaded.
   */
  readonly plain?: number;
  /** `<seq>:<hash>` of the last event. If it is kept elsewhere, it shows later whether events up to it were removed. */
  readonly head: string;
  readonly faults: readonly AuditFault[];
}

/** Where a verification begins, and what it compares with. */
interface Start {
  /** The number of the event that an earlier part read last; absent: the beginning of the chain. */
  readonly after?: string | undefined;
  /** A head that was printed earlier and must be in the chain. */
  readonly knownHead?: string | undefined;
}

/**
 * Verifies the chain page by page, in a transaction that sees one state of the database. It can be stopped after each page, and
 * another verification can continue there.
 */
export class ChainVerification {
  readonly #faults = new AuditFaults();
  readonly #values = new ValueFaults(this.#faults);
  #previous: ReadSoFar;
  #after: string | undefined;
  #events = 0;
  #plain: number;
  #isAtEnd = false;
  #isHeadKnown: boolean;

  private constructor(
    private readonly transaction: EntityManager,
    private readonly fernet: FernetService,
    private readonly checkpoint: Checkpoint | undefined,
    private readonly knownHead: string | undefined,
    previous: ReadSoFar,
    after: string | undefined,
  ) {
    this.#previous = previous;
    this.#after = after;
    // The first part counts those that were deleted, too.
    this.#plain = after === undefined ? (checkpoint?.plain ?? 0) : 0;
    this.#isHeadKnown = knownHead === undefined || knownHead === headOf(previous);
  }

  /** @throws Problem validation_failed when there is no event with the number `after` */
  static async begin(
    transaction: EntityManager,
    fernet: FernetService,
    { after, knownHead }: Start = {},
  ): Promise<ChainVerification> {
    const checkpoint = await checkpointOf(transaction);
    const begin = checkpoint?.before ?? NOTHING;
    const previous = after === undefined ? begin : await stateAfter(transaction, after, begin);
    return new ChainVerification(transaction, fernet, checkpoint, knownHead, previous, after);
  }

  /** How many events were read. */
  get events(): number {
    return this.#events;
  }

  /** The number of the last event that was read, in this part or before; `0` in an empty chain. */
  get through(): string {
    return this.#after ?? '0';
  }

  /** True once every event up to the last one was read. */
  get isAtEnd(): boolean {
    return this.#isAtEnd;
  }

  /** Reads and verifies the next events, at most `limit`. */
  async read(limit = PAGE): Promise<void> {
    const length = Math.min(limit, PAGE);
    const page = await storedEvents(this.transaction, this.#after, length);
    const values = await valuesOf(
      this.transaction,
      page.map(({ seq }) => seq),
    );
    for (const [index, event] of page.entries()) {
      if (index % TURN === 0) await nextTurn();
      this.#verify(event, values);
    }
    this.#isAtEnd = page.length < length;
  }

  /** The result. At the end of the chain it is compared with what the database says is the last event. */
  async result(): Promise<AuditVerification> {
    await this.#values.end(this.transaction, this.through);
    if (this.#isAtEnd) await this.#compareEnd();
    const hasKey = this.fernet.currentKeyId !== undefined;
    return {
      events: this.#events,
      ...(this.checkpoint && { expired: this.checkpoint.events }),
      ...(hasKey && { plain: this.#plain }),
      head: headOf(this.#previous),
      faults: this.#faults.list,
    };
  }

  #verify(event: StoredEvent, values: Awaited<ReturnType<typeof valuesOf>>): void {
    const { checkpoint } = this;
    const fault = faultOf(this.fernet, event, this.#previous);
    if (fault !== undefined) this.#faults.add(event.seq, fault);
    // Write access to the database is enough for such an event, but not for its hash.
    if (fault !== undefined && event.seq === checkpoint?.seq) {
      this.#faults.add('1', `events 1 to ${checkpoint.events} are missing`);
    }
    if (fault === undefined) this.#values.read(event, values);
    this.#after = event.seq;
    this.#events += 1;
    if (event.encryptionKeyId === null) this.#plain += 1;
    // Not a part of the chain, which starts at FIRST.
    if (BigInt(event.seq) < FIRST) return;
    this.#previous = nextOf(this.#previous, event);
    this.#isHeadKnown ||= headOf(this.#previous) === this.knownHead;
  }

  async #compareEnd(): Promise<void> {
    const [head] = await this.transaction.query<{ seq: string; hash: string }[]>(
      'select seq::text, hash from audit_head where id = 1',
    );
    if (head?.seq !== String(this.#previous.seq) || head.hash !== this.#previous.hash) {
      this.#faults.addOfChain(head?.seq ?? '0', 'events after the last one are missing');
    }
    if (this.#isHeadKnown) return;
    const seq = String(this.knownHead).split(':')[0] ?? '';
    const isExpired = this.checkpoint !== undefined && BigInt(seq) <= this.checkpoint.before.seq;
    this.#faults.addOfChain(
      seq,
      isExpired
        ? 'the given head is older than AUDIT_RETENTION_DAYS keeps, so nothing can be compared with it; give a newer one'
        : 'the given head is not in the chain',
    );
  }
}

/**
 * What an earlier part had read when it reached this event. If the event was deleted since then because of AUDIT_RETENTION_DAYS, the
 * chain goes on where it begins now.
 */
async function stateAfter(transaction: EntityManager, after: string, begin: ReadSoFar): Promise<ReadSoFar> {
  if (BigInt(after) <= begin.seq) return begin;
  const [event] = await transaction.query<{ hash: string; keyed: boolean }[]>(
    `select hash, exists (select 1 from audit_events where seq between $2 and $1 and key_id is not null) as keyed
     from audit_events where seq = $1`,
    [after, String(FIRST)],
  );
  if (event) return { seq: BigInt(after), hash: event.hash, hasKeyed: begin.hasKeyed || event.keyed };
  throw new Problem('validation_failed', {
    detail: 'There is no audit event with this number.',
    hint: 'Begin without after, and then send the next_after of each response.',
    errors: [{ path: 'after', message: 'after must be the next_after of a response' }],
  });
}

function headOf({ seq, hash }: Pick<ReadSoFar, 'seq' | 'hash'>): string {
  return `${seq}:${hash}`;
}
