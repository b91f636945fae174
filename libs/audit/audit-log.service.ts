import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { FernetService } from '#crypto';
import { type ChangedBy } from '#http';
import { faultOf, FIRST, hashOf, nextOf, NOTHING, type ReadSoFar } from './audit-chain';
import { type AuditFault, AuditFaults } from './audit-faults';
import { checkpointOf } from './audit-checkpoint';
import { AuditEvent, type AuditOutcome, type UnsignedEvent } from './audit-event.entity';
import { eraseValues, storeValues, ValueFaults, valuesOf, withHashes, withValues } from './personal-values';
import { storedEvents } from './stored-event';

const PAGE = 1000;

/** A change that was made or refused. `details` holds masks, versions and names; never a secret. */
export interface Change {
  readonly action: string;
  readonly tenantId?: string;
  readonly provider?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The result of `verify`: how many events it read, and each fault. */
export interface AuditVerification {
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

export interface AuditFilter {
  /** Only events of these tenants, in addition to the other filters; absent: all. */
  readonly within?: readonly string[];
  readonly tenantId?: string;
  readonly action?: string;
  readonly outcome?: AuditOutcome;
  readonly actor?: string;
  readonly since?: Date;
  readonly until?: Date;
  /** Only events before this seq. */
  readonly before?: string;
  readonly limit: number;
}

/** The record of every change. An event is appended in the transaction of its change, so that no change lacks one. */
@Injectable()
export class AuditLogService {
  readonly #log = new Logger('audit');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
  ) {}

  /** Appends a change. Call it as the last statement of the change's transaction: it blocks other changes until the commit. */
  async record(transaction: EntityManager, by: ChangedBy, change: Change): Promise<void> {
    await this.append(transaction, by, change, 'done');
  }

  /** Appends a refused attempt, in its own transaction. */
  async refuse(by: ChangedBy, change: Change): Promise<void> {
    await this.dataSource.transaction((transaction) => this.append(transaction, by, change, 'refused'));
  }

  /** Newest first. */
  async list(filter: AuditFilter): Promise<AuditEvent[]> {
    const query = this.dataSource
      .createQueryBuilder(AuditEvent, 'e')
      .orderBy('e.seq', 'DESC')
      .limit(filter.limit);
    const { within, tenantId, action, outcome, actor, since, until, before } = filter;
    if (within !== undefined) query.andWhere('e.tenant_id = any(:within)', { within });
    if (tenantId !== undefined) query.andWhere('e.tenant_id = :tenantId', { tenantId });
    if (action !== undefined) query.andWhere('e.action = :action', { action });
    if (outcome !== undefined) query.andWhere('e.outcome = :outcome', { outcome });
    if (actor !== undefined) query.andWhere('e.actor = :actor', { actor });
    if (since !== undefined) query.andWhere('e.at >= :since', { since });
    if (until !== undefined) query.andWhere('e.at < :until', { until });
    if (before !== undefined) query.andWhere('e.seq < :before', { before });
    const events = await query.getMany();
    const values = await valuesOf(
      this.dataSource.manager,
      events.map(({ seq }) => seq),
    );
    for (const event of events) event.details = withValues(event.details, values, event.seq);
    return events;
  }

  /** Records the deletion of a tenant. From then on, none of its events has a personal value any more. */
  async recordErasure(
    transaction: EntityManager,
    by: ChangedBy,
    tenantId: string,
    change: Change,
  ): Promise<void> {
    const { details } = withHashes(change.details ?? {});
    await this.append(
      transaction,
      by,
      { ...change, tenantId, details: { ...details, erased: true } },
      'done',
    );
    await eraseValues(transaction, tenantId);
  }

  /**
   * Reads the whole chain in pages, from one snapshot of the database.
   * @param knownHead the head of an earlier verification, which the chain must still contain
   * @param onPage called after each page with the number of events read so far
   */
  async verify(knownHead?: string, onPage?: (events: number) => void): Promise<AuditVerification> {
    return this.dataSource.transaction('REPEATABLE READ', async (transaction) => {
      const faults = new AuditFaults();
      const checkpoint = await checkpointOf(transaction);
      let previous: ReadSoFar = checkpoint?.before ?? NOTHING;
      let events = 0;
      let plain = checkpoint?.plain ?? 0;
      let isHeadKnown = knownHead === undefined || knownHead === headOf(previous);
      const values = new ValueFaults(faults);
      for (let after: string | undefined; ;) {
        const page = await storedEvents(transaction, after, PAGE);
        const stored = await valuesOf(
          transaction,
          page.map(({ seq }) => seq),
        );
        for (const event of page) {
          const fault = faultOf(this.fernet, event, previous);
          if (fault !== undefined) faults.add(event.seq, fault);
          // Write access to the database is enough for such an event, but not for its hash.
          if (fault !== undefined && event.seq === checkpoint?.seq) {
            faults.add('1', `events 1 to ${checkpoint.events} are missing`);
          }
          if (fault === undefined) values.read(event, stored);
          after = event.seq;
          events += 1;
          if (event.encryptionKeyId === null) plain += 1;
          // Not a part of the chain, which starts at FIRST.
          if (BigInt(event.seq) < FIRST) continue;
          previous = nextOf(previous, event);
          isHeadKnown ||= headOf(previous) === knownHead;
        }
        onPage?.(events);
        if (page.length < PAGE) break;
      }
      values.end();
      const [head] = await transaction.query<{ seq: string; hash: string }[]>(
        'select seq::text, hash from audit_head where id = 1',
      );
      if (head?.seq !== String(previous.seq) || head.hash !== previous.hash) {
        faults.addOfChain(head?.seq ?? '0', 'events after the last one are missing');
      }
      if (!isHeadKnown) {
        const seq = String(knownHead).split(':')[0] ?? '';
        const isExpired = checkpoint !== undefined && BigInt(seq) <= checkpoint.before.seq;
        faults.addOfChain(
          seq,
          isExpired
            ? 'the given head is older than AUDIT_RETENTION_DAYS keeps, so nothing can be compared with it; give a newer one'
            : 'the given head is not in the chain',
        );
      }
      const hasKey = this.fernet.currentKeyId !== undefined;
      return {
        events,
        ...(checkpoint && { expired: checkpoint.events }),
        ...(hasKey && { plain }),
        head: headOf(previous),
        faults: faults.list,
      };
    });
  }

  private async append(
    transaction: EntityManager,
    { actor, requestId, address }: ChangedBy,
    change: Change,
    outcome: AuditOutcome,
  ): Promise<void> {
    // The lock is held until the commit or rollback, so that the next event is linked to what was committed.
    const [head] = await transaction.query<{ seq: string; hash: string }[]>(
      'select seq::text, hash from audit_head where id = 1 for update',
    );
    if (!head) throw new Error('the end of the audit chain is missing');
    const { details, values } = withHashes(change.details ?? {});
    const event: UnsignedEvent = {
      seq: String(BigInt(head.seq) + 1n),
      at: new Date(),
      actor,
      requestId,
      address,
      action: change.action,
      outcome,
      tenantId: change.tenantId ?? null,
      provider: change.provider ?? null,
      details,
      encryptionKeyId: this.fernet.currentKeyId ?? null,
    };
    if (event.encryptionKeyId === null) await this.warnWhenKeyIsMissing(transaction, head.seq, event.seq);
    const hash = hashOf(this.fernet, event, head.hash);
    await transaction.insert(AuditEvent, Object.assign(new AuditEvent(), event, { hash }) as object);
    await storeValues(transaction, event.seq, event.tenantId, values);
    await transaction.query('update audit_head set seq = $1, hash = $2 where id = 1', [event.seq, hash]);
    this.#log.log(`audit head ${event.seq}:${hash} ${outcome} ${change.action}`);
  }

  /** Logs once each time the key goes missing: later plain events follow a plain one. */
  private async warnWhenKeyIsMissing(
    transaction: EntityManager,
    headSeq: string,
    seq: string,
  ): Promise<void> {
    const [before] = await transaction.query<{ key_id: string | null }[]>(
      'select key_id from audit_events where seq = $1',
      [headSeq],
    );
    if (before === undefined || before.key_id === null) return;
    this.#log.warn(
      `audit event ${seq} is made without ENCRYPTION_KEY after events that were made with one, so audit verify will report it and those that follow as faults: set ENCRYPTION_KEY again`,
    );
  }
}

function headOf({ seq, hash }: Pick<ReadSoFar, 'seq' | 'hash'>): string {
  return `${seq}:${hash}`;
}
