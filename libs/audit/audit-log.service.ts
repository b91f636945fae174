import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { FernetService } from '#crypto';
import { type ChangedBy } from '#http';
import { type AuditAction } from './audit-actions';
import { AuditEvent, type AuditOutcome, type UnsignedEvent } from './audit-event.entity';
import { hashOf } from './chain/audit-chain';
import { type AuditVerification, ChainVerification } from './chain/chain-verification';
import { eraseValues, storeValues, valuesOf, withHashes, withValues } from './personal-values';

/** A change that was made or refused. `details` holds masks, versions and names; never a secret. */
export interface Change<Action extends string = AuditAction> {
  readonly action: Action;
  readonly tenantId?: string;
  readonly provider?: string;
  readonly details?: Readonly<Record<string, unknown>>;
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
  async refuse(by: ChangedBy, change: Change<string>): Promise<void> {
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
   * Verifies the whole chain, from one snapshot of the database.
   * @param knownHead the head of an earlier verification, which the chain must still contain
   * @param onPage called after each page with the number of events read so far
   */
  async verify(knownHead?: string, onPage?: (events: number) => void): Promise<AuditVerification> {
    return this.dataSource.transaction('REPEATABLE READ', async (transaction) => {
      const verification = await ChainVerification.begin(transaction, this.fernet, { knownHead });
      while (!verification.isAtEnd) {
        await verification.read();
        onPage?.(verification.events);
      }
      return verification.result();
    });
  }

  private async append(
    transaction: EntityManager,
    { actor, requestId, address }: ChangedBy,
    change: Change<string>,
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
