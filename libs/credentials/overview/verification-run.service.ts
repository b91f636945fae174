import { setTimeout as wait } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager } from 'typeorm';
import { type AuditAction, AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { falseIfUnavailable, reasonOf, waitAtStop } from '#database';
import { type ProbeResult } from '#egress';
import { type ChangedBy, Problem, type ProblemCode } from '#http';
import { ProviderRegistry } from '#providers';
import { CredentialsService } from '../credentials.service';
import { CredentialVerificationService } from '../health/credential-verification.service';
import { recordVerification } from '../health/health-records';
import { CredentialSlotsService } from '../rows/credential-slots.service';
import {
  type CredentialFilter,
  CredentialOverviewService,
  type OverviewRow,
} from './credential-overview.service';
import { type NotAccepted, VerificationRun } from './verification-run.entity';

/** Credentials that are verified at the same time, and at most in one second by all processes together. */
const BATCH = 10;
const BATCH_MS = 1000;

/** More than a batch can take. After that, the process that works on it is taken for killed, and its batch is repeated. */
const LOST_MS = 30_000;

/** Faults that are kept; further ones are only counted. */
const KEPT_FAULTS = 1000;

/** How often a process looks whether there is a run to help with. */
const LOOK_MS = 5000;

/** The credential was deleted, or left its slot, after the batch was selected. */
const deletedCodes: readonly string[] = ['credential_not_configured', 'credential_not_staged'];

interface Verified extends OverviewRow {
  readonly outcome: NotAccepted['outcome'] | undefined;
  /** Absent when the provider was not asked. */
  readonly probe?: { readonly result: ProbeResult; readonly version: string; readonly at: Date };
}

/**
 * Verifies many credentials in the background. Like a rotation, a run is a row of the database that says how far it is, so that it
 * does not need the client that started it, and another process continues it when the one that works on it is killed. No
 * transaction is open while providers are asked: a process reserves a batch first, and writes the results afterwards.
 */
@Injectable()
export class VerificationRunService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('verification');
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly overview: CredentialOverviewService,
    private readonly credentials: CredentialsService,
    private readonly slots: CredentialSlotsService,
    private readonly verification: CredentialVerificationService,
    private readonly providers: ProviderRegistry,
    private readonly audit: AuditLogService,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => this.help(), LOOK_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await waitAtStop(this.#running ?? Promise.resolve(), this.config);
  }

  /** The latest run; undefined when there was none. */
  async latest(): Promise<VerificationRun | undefined> {
    return (await this.dataSource.manager.findOneBy(VerificationRun, { id: 1 })) ?? undefined;
  }

  /** Starts a run in place of the one that is paused or finished. @throws Problem verification_conflict when one is running */
  async start(filter: CredentialFilter, by: ChangedBy): Promise<VerificationRun> {
    const total = await this.overview.count(filter);
    return this.#change(by, 'credential.verify_all', (before) => {
      if (before?.state === 'running') {
        throw new Problem('verification_conflict', {
          detail: `A verification is running: ${before.verified} of ${before.total} credentials are verified.`,
          hint: 'Follow it with GET, or pause it before you start another one.',
        });
      }
      const { actor, requestId, address } = by;
      return {
        id: 1,
        state: 'running',
        filter,
        total,
        verified: 0,
        notAccepted: 0,
        faults: [],
        position: null,
        nextAt: before?.nextAt ?? new Date(),
        startedBy: { actor, requestId, address },
        startedAt: new Date(),
        changedAt: new Date(),
      };
    });
  }

  /** Continues the paused run. One that is running is left as it is. @throws Problem verification_conflict */
  async resume(by: ChangedBy): Promise<VerificationRun> {
    return this.#change(by, 'credential.resume_verification', (before) => {
      if (before === undefined || before.state === 'finished') {
        throw new Problem('verification_conflict', {
          detail: 'No verification is paused or running.',
          hint: 'Leave out resume=true to start one.',
        });
      }
      return before.state === 'running' ? before : { ...before, state: 'running' };
    });
  }

  /** No further batch begins until `resume`. @throws Problem verification_conflict when none is running */
  async pause(by: ChangedBy): Promise<VerificationRun> {
    return this.#change(by, 'credential.pause_verification', (before) => {
      if (before?.state !== 'running') {
        throw new Problem('verification_conflict', { detail: 'No verification is running.' });
      }
      return { ...before, state: 'paused' };
    });
  }

  /** Verifies batches in the background while a run is running. */
  help(): void {
    this.#running ??= this.#verifyAll()
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        this.#log.warn(
          `no batch of credentials was verified: ${reasonOf(error)}; the next try is in some seconds`,
        );
      })
      .finally(() => (this.#running = undefined));
  }

  /**
   * Verifies the next batch.
   * @returns the run afterwards; undefined when none is running, or the next batch may not begin yet
   */
  async batch(): Promise<VerificationRun | undefined> {
    const reserved = await this.#reserve();
    if (reserved === undefined || reserved.rows.length === 0) return reserved?.run;
    const startedAt = Date.now();
    const verified = await this.#verify(reserved.rows);
    return this.dataSource.transaction(async (transaction) => {
      const run = await lockedRun(transaction);
      // Another process has taken this one for killed, or another run has begun.
      if (run === undefined || placeOf(run) !== placeOf(reserved.run)) return undefined;
      for (const { tenantId, provider, probe } of verified) {
        if (probe === undefined) continue;
        const { result, version, at } = probe;
        await recordVerification(transaction, { tenantId, provider, version }, result, at);
      }
      const known = verified.filter(({ outcome }) => outcome !== undefined);
      const faults = known.filter(({ outcome }) => outcome !== 'accepted').map(faultOf);
      const { tenantId, provider, slot } = reserved.rows.at(-1)!;
      return transaction.save(VerificationRun, {
        ...run,
        verified: run.verified + known.length,
        notAccepted: run.notAccepted + faults.length,
        faults: [...run.faults, ...faults].slice(0, KEPT_FAULTS),
        position: { tenantId, provider, slot },
        nextAt: new Date(startedAt + BATCH_MS),
        changedAt: new Date(),
      });
    });
  }

  async #verifyAll(): Promise<void> {
    // Without a run, this look is all that an idle process does.
    if (!(await this.#isWanted().catch(falseIfUnavailable))) return;
    while (!this.#stop.signal.aborted) {
      const run = await this.batch();
      if (run?.state !== 'running') return;
      await wait(Math.max(0, run.nextAt.getTime() - Date.now()), undefined, { signal: this.#stop.signal });
    }
  }

  async #isWanted(): Promise<boolean> {
    return (await this.latest())?.state === 'running';
  }

  /** Selects the next batch, and keeps other processes from it. The run is finished when there is none. */
  async #reserve(): Promise<{ run: VerificationRun; rows: OverviewRow[] } | undefined> {
    return this.dataSource.transaction(async (transaction) => {
      const run = await lockedRun(transaction, 'skip_locked');
      if (run?.state !== 'running' || run.nextAt.getTime() > Date.now()) return undefined;
      const page = { after: run.position ?? undefined, limit: BATCH };
      const rows = await this.overview.page(run.filter, page, transaction);
      const now = new Date();
      if (rows.length === 0) {
        run.state = 'finished';
        run.changedAt = now;
      } else run.nextAt = new Date(now.getTime() + LOST_MS);
      return { run: await transaction.save(VerificationRun, run), rows };
    });
  }

  async #verify(rows: readonly OverviewRow[]): Promise<Verified[]> {
    const live = rows.filter(({ slot }) => slot === 'live').map(({ tenantId }) => tenantId);
    const overview = await this.credentials.overview([...new Set(live)]);
    return Promise.all(
      rows.map(async (row) => {
        const { tenantId, slot } = row;
        const provider = this.providers.find(row.provider);
        if (provider === undefined) return { ...row, outcome: 'unknown_provider' as const };
        try {
          const credential =
            slot === 'live'
              ? overview.get(tenantId)!.usable(provider)
              : await this.slots.resolve(tenantId, provider, 'staged');
          const result = await this.verification.probe(credential);
          const probe = { result, version: credential.version ?? '', at: new Date() };
          return { ...row, mask: credential.mask, outcome: result.outcome, probe };
        } catch (error) {
          const code: ProblemCode = error instanceof Problem ? error.code : 'internal_error';
          return { ...row, outcome: deletedCodes.includes(code) ? undefined : code };
        }
      }),
    );
  }

  async #change(
    by: ChangedBy,
    action: AuditAction,
    next: (before: VerificationRun | undefined) => VerificationRun,
  ): Promise<VerificationRun> {
    return this.dataSource.transaction(async (transaction) => {
      const before = await lockedRun(transaction);
      const after = next(before);
      if (after === before) return before;
      const saved = await transaction.save(VerificationRun, { ...after, changedAt: new Date() });
      const { filter, verified, total } = saved;
      await this.audit.record(transaction, by, { action, details: { filter, verified, total } });
      return saved;
    });
  }
}

/** Changes with every batch and every run. */
function placeOf({ startedAt, nextAt }: VerificationRun): string {
  return `${startedAt.getTime()} ${nextAt.getTime()}`;
}

function faultOf({ tenantId, provider, slot, mask, outcome }: Verified): NotAccepted {
  return { tenant_id: tenantId, provider, slot, masked_key: mask, outcome: outcome ?? 'unknown' };
}

async function lockedRun(
  transaction: EntityManager,
  onLocked?: 'skip_locked',
): Promise<VerificationRun | undefined> {
  const query = transaction
    .createQueryBuilder(VerificationRun, 'r')
    .where('r.id = 1')
    .setLock('pessimistic_write');
  return (await (onLocked === undefined ? query : query.setOnLocked(onLocked)).getOne()) ?? undefined;
}
