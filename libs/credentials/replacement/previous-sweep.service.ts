import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { Problem } from '#http';
import { waitAtStop } from '#database';
import { forgetAllGone, forgetGone } from '../health/health-records';
import { emptySlot, isOver, lockedSlots, overBefore, type SlotsOf } from '../rows/provider-slots';
import { audited } from '../rows/stored-credential';

const HOUR_MS = 60 * 60 * 1000;

/**
 * Deletes previous credentials once they can be taken back no more, at start and every hour: a sealed key must not lie
 * around. Of several processes the first does it and the others find nothing.
 */
@Injectable()
export class PreviousSweepService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('credentials');
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly audit: AuditLogService,
  ) {}

  /** The start does not wait for it. */
  onApplicationBootstrap(): void {
    this.#start();
    this.#timer = setInterval(() => this.#start(), HOUR_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#isStopping = true;
    await waitAtStop(this.#running, this.config);
  }

  #start(): void {
    this.#running = this.#running
      .then(() => this.#sweep())
      .catch((error: unknown) => {
        this.#log.warn(`previous credentials were not swept: ${(error as Error).name}; again in an hour`);
      });
  }

  async #sweep(): Promise<void> {
    // Whose they are and nothing of them; each is then read and deleted as its tenant's.
    const over = await this.dataSource.query<{ tenant_id: string; provider: string }[]>(
      `select tenant_id, provider from credential_slots where slot = 'previous' and replaced_at <= $1`,
      [overBefore(this.config.credentialRollbackHours)],
    );
    for (const { tenant_id: tenantId, provider } of over) {
      if (this.#isStopping) return;
      await this.#discard({ tenantId, provider });
    }
    if (!this.#isStopping) await forgetAllGone(this.dataSource.manager);
  }

  async #discard(of: SlotsOf): Promise<void> {
    try {
      await this.dataSource.transaction(async (transaction) => {
        const { previous } = await lockedSlots(transaction, of);
        if (!previous || !isOver(previous, this.config.credentialRollbackHours)) return;
        await emptySlot(transaction, of, 'previous');
        await forgetGone(transaction, of);
        const by = { actor: 'tenkey', requestId: randomUUID(), address: 'local' };
        const details = { slot: 'previous', before: audited(previous) };
        await this.audit.record(transaction, by, { action: 'credential.discard', ...of, details });
      });
    } catch (error) {
      // The tenant was deleted meanwhile, and its credentials with it.
      if (!(error instanceof Problem)) throw error;
    }
  }
}
