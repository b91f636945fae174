import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { Problem } from '#http';
import { HourlySweep, reasonOf } from '#database';
import { deleteAllStaleHealth, deleteStaleHealth } from '../health/health-records';
import {
  emptySlot,
  hasRollbackExpired,
  lockedSlots,
  rollbackCutoff,
  type SlotsOf,
} from '../rows/provider-slots';
import { audited } from '../rows/stored-credential';

/**
 * Deletes previous credentials once the time for a rollback has passed, at the start and every hour, so that sealed keys are
 * not kept longer than needed. Of several processes the first deletes them and the others find none.
 */
@Injectable()
export class PreviousSweepService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('credentials');
  readonly #sweeps = new HourlySweep(
    () => this.#sweep(),
    (error) =>
      this.#log.warn(`previous credentials were not swept: ${reasonOf(error)}; the next try is in an hour`),
  );

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly audit: AuditLogService,
  ) {}

  onApplicationBootstrap(): void {
    this.#sweeps.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.#sweeps.stop(this.config);
  }

  async #sweep(): Promise<void> {
    // Reads only whose they are. Each is then read and deleted in a query that names its tenant.
    const expired = await this.dataSource.query<{ tenant_id: string; provider: string }[]>(
      `select tenant_id, provider from credential_slots where slot = 'previous' and replaced_at <= $1`,
      [rollbackCutoff(this.config.credentialRollbackHours)],
    );
    for (const { tenant_id: tenantId, provider } of expired) {
      if (this.#sweeps.isStopping) return;
      await this.#discard({ tenantId, provider });
    }
    if (!this.#sweeps.isStopping) await deleteAllStaleHealth(this.dataSource.manager);
  }

  async #discard(of: SlotsOf): Promise<void> {
    try {
      await this.dataSource.transaction(async (transaction) => {
        const { previous } = await lockedSlots(transaction, of);
        if (!previous || !hasRollbackExpired(previous, this.config.credentialRollbackHours)) return;
        await emptySlot(transaction, of, 'previous');
        await deleteStaleHealth(transaction, of);
        const by = { actor: 'tenkey', requestId: randomUUID(), address: 'local' };
        const details = { slot: 'previous', before: audited(previous) };
        await this.audit.record(transaction, by, { action: 'credential.discard', ...of, details });
      });
    } catch (error) {
      // A Problem means that the tenant has been deleted, and its credentials with it.
      if (!(error instanceof Problem)) throw error;
    }
  }
}
