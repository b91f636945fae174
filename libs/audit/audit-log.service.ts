import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { FernetService } from '#crypto';
import { type ChangedBy } from '#http';
import { faultOf, FIRST, hashOf, type ReadSoFar } from './audit-chain';
import { AuditEvent, type AuditOutcome, type UnsignedEvent } from './audit-event.entity';
import { storedEvents } from './stored-event';

const PAGE = 1000;

/** What happened, or was asked for. `details` holds masks, versions and names; never a secret. */
export interface Change {
  readonly action: string;
  readonly tenantId?: string;
  readonly provider?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What `verify` found: how far it read, and each event that does not fit. */
export interface AuditVerification {
  readonly events: number;
  /**
   * How many were made without an encryption key. A chain that is plain from its first event on is what an instance without
   * a key leaves, and what whoever can write to the database can put there. Absent when no key is loaded.
   */
  readonly plain?: number;
  /** `<seq>:<hash>` of the last event: kept elsewhere, it shows later that none was cut off before it. */
  readonly head: string;
  readonly faults: readonly { readonly seq: string; readonly fault: string }[];
}

export interface AuditFilter {
  /** Only events of these tenants, whatever else is asked; absent: all. */
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

/** The record of every change: appended in the change's own transaction, so that there is no change without it. */
@Injectable()
export class AuditLogService {
  readonly #log = new Logger('audit');

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly fernet: FernetService,
  ) {}

  /** Appends a change that is done. The last statement of its transaction, since it makes others wait until the commit. */
  async record(transaction: EntityManager, by: ChangedBy, change: Change): Promise<void> {
    await this.append(transaction, by, change, 'done');
  }

  /** Appends an attempt that was refused, in a transaction of its own. */
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
    return query.getMany();
  }

  /**
   * Reads the whole chain, a page at a time, at one moment of the database.
   * @param knownHead a head of an earlier verification: the chain must still hold it
   * @param onPage told after each page how many events were read
   */
  async verify(knownHead?: string, onPage?: (events: number) => void): Promise<AuditVerification> {
    return this.dataSource.transaction('REPEATABLE READ', async (transaction) => {
      const faults: { seq: string; fault: string }[] = [];
      let previous: ReadSoFar = { seq: 0n, hash: '', hasKeyed: false };
      let events = 0;
      let plain = 0;
      let isHeadKnown = knownHead === undefined || knownHead === headOf(previous);
      for (let after: string | undefined; ;) {
        const page = await storedEvents(transaction, after, PAGE);
        for (const event of page) {
          const fault = faultOf(this.fernet, event, previous);
          if (fault !== undefined) faults.push({ seq: event.seq, fault });
          after = event.seq;
          events += 1;
          if (event.encryptionKeyId === null) plain += 1;
          const seq = BigInt(event.seq);
          // No part of the chain, which begins after them.
          if (seq < FIRST) continue;
          previous = { seq, hash: event.hash, hasKeyed: previous.hasKeyed || event.encryptionKeyId !== null };
          isHeadKnown ||= headOf(previous) === knownHead;
        }
        onPage?.(events);
        if (page.length < PAGE) break;
      }
      const [head] = await transaction.query<{ seq: string; hash: string }[]>(
        'select seq::text, hash from audit_head where id = 1',
      );
      if (head?.seq !== String(previous.seq) || head.hash !== previous.hash) {
        faults.push({ seq: head?.seq ?? '0', fault: 'events after the last one are missing' });
      }
      if (!isHeadKnown) {
        faults.push({
          seq: String(knownHead).split(':')[0] ?? '',
          fault: 'the given head is not in the chain',
        });
      }
      const hasKey = this.fernet.currentKeyId !== undefined;
      return { events, ...(hasKey && { plain }), head: headOf(previous), faults };
    });
  }

  private async append(
    transaction: EntityManager,
    by: ChangedBy,
    change: Change,
    outcome: AuditOutcome,
  ): Promise<void> {
    // The lock lasts until the commit, so that the next event sees this one or, after a rollback, nothing of it.
    const [head] = await transaction.query<{ seq: string; hash: string }[]>(
      'select seq::text, hash from audit_head where id = 1 for update',
    );
    if (!head) throw new Error('the end of the audit chain is missing');
    const event: UnsignedEvent = {
      seq: String(BigInt(head.seq) + 1n),
      at: new Date(),
      ...by,
      action: change.action,
      outcome,
      tenantId: change.tenantId ?? null,
      provider: change.provider ?? null,
      details: { ...change.details },
      encryptionKeyId: this.fernet.currentKeyId ?? null,
    };
    if (event.encryptionKeyId === null) await this.warnWhenKeyIsGone(transaction, head.seq, event.seq);
    const hash = hashOf(this.fernet, event, head.hash);
    await transaction.insert(AuditEvent, Object.assign(new AuditEvent(), event, { hash }) as object);
    await transaction.query('update audit_head set seq = $1, hash = $2 where id = 1', [event.seq, hash]);
    this.#log.log(`audit head ${event.seq}:${hash} ${outcome} ${change.action}`);
  }

  /** Said once for each time that the key goes missing: the next plain event follows a plain one. */
  private async warnWhenKeyIsGone(transaction: EntityManager, headSeq: string, seq: string): Promise<void> {
    const [before] = await transaction.query<{ key_id: string | null }[]>(
      'select key_id from audit_events where seq = $1',
      [headSeq],
    );
    if (before === undefined || before.key_id === null) return;
    this.#log.warn(
      `audit event ${seq} is made without ENCRYPTION_KEY after events that were made with one, so that audit verify will call it and those that follow a fault: set ENCRYPTION_KEY again`,
    );
  }
}

function headOf({ seq, hash }: Pick<ReadSoFar, 'seq' | 'hash'>): string {
  return `${seq}:${hash}`;
}
