import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { Problem } from '#http';
import { AuditEvent } from '../audit-event.entity';
import { FIRST } from './audit-chain';
import { checkpointOf } from './audit-checkpoint';
import { countAuditFaults } from './audit-faults';
import { type AuditVerification, ChainVerification } from './chain-verification';

/**
 * How long one part may take, in ms. It holds a connection in a transaction for that time, and changes wait for such a connection if
 * there are few.
 */
const PART_MS = 2000;

/** An event by its number and time. */
type Place = Pick<AuditEvent, 'seq' | 'at'>;

/** What the database has of the chain. Nothing of it is verified. */
export interface ChainState {
  /** The first and the last event that are kept; absent without events. */
  readonly first?: Place;
  readonly last?: Place;
  /** `<seq>:<hash>` of the newest event. */
  readonly head?: string;
  /** The newest event that records a deletion, and the last event that was deleted. */
  readonly checkpoint?: Place & { readonly through: string };
  /** Whether the hashes are keyed. */
  readonly isKeyed: boolean;
  /** Zero: for ever. */
  readonly retentionDays: number;
  readonly lastVerification?: VerifiedChain;
}

/** The parts that this process has verified last, one after the other. */
export interface VerifiedChain {
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** The event after which they begin; absent: they begin with the first. */
  readonly after?: string | undefined;
  readonly through: string;
  readonly events: number;
  readonly faults: number;
  /** True when they end with the last event. */
  readonly isComplete: boolean;
}

/** One part of the chain that was verified. */
export interface VerifiedPart {
  readonly verification: AuditVerification;
  readonly through: string;
  /** True when the last event was among them. */
  readonly isAtEnd: boolean;
  readonly durationMs: number;
}

/** The state of the chain, and its verification in parts that a client requests one after the other. */
@Injectable()
export class AuditChainService {
  #isVerifying = false;
  #last: VerifiedChain | undefined = undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly fernet: FernetService,
  ) {}

  async state(): Promise<ChainState> {
    const { manager } = this.dataSource;
    const query = (order: 'ASC' | 'DESC') =>
      manager
        .createQueryBuilder(AuditEvent, 'e')
        .select(['e.seq', 'e.at', 'e.hash'])
        .where('e.seq >= :first', { first: String(FIRST) })
        .orderBy('e.seq', order)
        .limit(1);
    const [first, last] = await Promise.all([query('ASC').getOne(), query('DESC').getOne()]);
    const checkpoint = await checkpointOf(manager);
    const atCheckpoint =
      checkpoint && (await query('DESC').where('e.seq = :seq', { seq: checkpoint.seq }).getOne());
    return {
      ...(first && { first }),
      ...(last && { last, head: `${last.seq}:${last.hash}` }),
      ...(checkpoint &&
        atCheckpoint && {
          checkpoint: { seq: checkpoint.seq, at: atCheckpoint.at, through: String(checkpoint.before.seq) },
        }),
      isKeyed: this.fernet.currentKeyId !== undefined,
      retentionDays: this.config.auditRetentionDays,
      ...(this.#last && { lastVerification: this.#last }),
    };
  }

  /**
   * Verifies the next events, for at most two seconds, from one snapshot of the database.
   * @param after the last event of the part before; undefined: begins with the first
   * @param limit how many events at most
   * @param isCancelled asked after each page; the part then ends early
   * @throws Problem verification_conflict while this process verifies another part, and validation_failed when there is no event `after`
   */
  async verify(after: string | undefined, limit: number, isCancelled: () => boolean): Promise<VerifiedPart> {
    if (this.#isVerifying) {
      throw new Problem('verification_conflict', {
        detail: 'Another request verifies the audit events.',
        hint: 'Send the request again when the other one has been answered, after two seconds at most.',
      });
    }
    this.#isVerifying = true;
    try {
      const startedAt = new Date();
      const part = await this.#part(after, limit, isCancelled);
      this.#note(after, startedAt, part);
      return part;
    } finally {
      this.#isVerifying = false;
    }
  }

  async #part(after: string | undefined, limit: number, isCancelled: () => boolean): Promise<VerifiedPart> {
    const start = performance.now();
    const passedMs = () => performance.now() - start;
    return this.dataSource.transaction('REPEATABLE READ', async (transaction) => {
      const chain = await ChainVerification.begin(transaction, this.fernet, { after });
      do {
        await chain.read(limit - chain.events);
      } while (!chain.isAtEnd && chain.events < limit && passedMs() < PART_MS && !isCancelled());
      const verification = await chain.result();
      return {
        verification,
        through: chain.through,
        isAtEnd: chain.isAtEnd,
        durationMs: Math.round(passedMs()),
      };
    });
  }

  /** Several parts of one verification are one entry, if each begins where the one before it ended. */
  #note(after: string | undefined, startedAt: Date, { verification, through, isAtEnd }: VerifiedPart): void {
    const last = this.#last;
    const earlier = last !== undefined && !last.isComplete && last.through === after ? last : undefined;
    this.#last = {
      startedAt: earlier?.startedAt ?? startedAt,
      endedAt: new Date(),
      after: earlier === undefined ? after : earlier.after,
      through,
      events: (earlier?.events ?? 0) + verification.events,
      faults: (earlier?.faults ?? 0) + countAuditFaults(verification.faults),
      isComplete: isAtEnd,
    };
  }
}
