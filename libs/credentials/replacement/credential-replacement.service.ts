import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager, type QueryDeepPartialEntity } from 'typeorm';
import { AuditLogService } from '#audit';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { type ProbeResult } from '#egress';
import { type ChangedBy } from '#http';
import { type Provider } from '#providers';
import { type CredentialFields, type ListedCredential, type SlotBeside } from '../credential';
import { CredentialHealth } from '../rows/credential-health.entity';
import { sealedRow } from '../rows/credential-rows';
import { CredentialSlot } from '../rows/credential-slot.entity';
import { CredentialsService } from '../credentials.service';
import { forgetGone, recordVerification } from '../health/health-records';
import {
  copyLive,
  emptySlot,
  isOver,
  lockedSlots,
  moveToLive,
  type ProviderSlots,
  rollbackUntil,
  type SlotsOf,
} from '../rows/provider-slots';
import { nothingStored, otherVersion, stagedIsRefused, tooLate } from '../rows/slot-problems';
import { audited, lastRefusal, listedOf, usableCredential } from '../rows/stored-credential';
import { type TenantCredential } from '../rows/tenant-credential.entity';

export interface StagedCredential extends ListedCredential {
  /** Of the live one, that calls still use. */
  readonly liveMask: string | null;
}

/** What a promotion or a rollback made live, and what became of the one before it. */
export interface SwappedCredential {
  readonly live: ListedCredential;
  readonly replaced: ReplacedCredential | null;
  /** Of a promotion, where what it replaced is kept. */
  readonly rollbackUntil: Date | null;
}

/** @property whyDropped where it is kept in no slot */
interface ReplacedCredential {
  readonly mask: string;
  readonly version: string;
  readonly slot: SlotBeside | null;
  readonly whyDropped?: string;
}

/**
 * Replaces a live credential in steps: stage beside it, promote, roll back. Each is one transaction under the tenant's lock,
 * and moves rows as they stand: nothing is opened or sealed anew, and a version names the same key for ever. A call that
 * began keeps the credential that it began with.
 */
@Injectable()
export class CredentialReplacementService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly fernet: FernetService,
    private readonly credentials: CredentialsService,
    private readonly audit: AuditLogService,
  ) {}

  /** Seals and stores beside the live one, which stays untouched; replaces what was staged before. */
  async stage(
    tenantId: string,
    provider: Provider,
    fields: CredentialFields,
    by: ChangedBy,
    verification?: ProbeResult,
  ): Promise<StagedCredential> {
    this.credentials.refuseEndpoint(fields.settings);
    const of = { tenantId, provider: provider.id };
    return this.dataSource.transaction(async (transaction) => {
      const slots = await lockedSlots(transaction, of);
      const sealed = await sealedRow(transaction, this.fernet, tenantId, provider.id, fields);
      const row = Object.assign(new CredentialSlot(), sealed, { slot: 'staged', replacedAt: null });
      await transaction.upsert(CredentialSlot, row as QueryDeepPartialEntity<CredentialSlot>, [
        'tenantId',
        'provider',
        'slot',
      ]);
      const over = await this.dropOver(transaction, slots, of);
      await forgetGone(transaction, of);
      if (verification) await recordVerification(transaction, row, verification, row.configuredAt);
      const health = await transaction.findOneBy(CredentialHealth, { ...of, version: row.version });
      const details = {
        before: audited(slots.staged),
        after: audited(row),
        ...(verification && { verification: verification.outcome }),
        ...over,
      };
      await this.audit.record(transaction, by, { action: 'credential.stage', ...of, details });
      const liveMask = slots.live?.keyHint ?? null;
      return { ...listedOf(this.fernet, Object.assign(row, { health })), liveMask };
    });
  }

  /**
   * The staged one becomes live, the live one previous.
   * @param version what the caller believes to be staged
   */
  async promote(
    tenantId: string,
    provider: Provider,
    by: ChangedBy,
    version?: string,
  ): Promise<SwappedCredential> {
    const of = { tenantId, provider: provider.id };
    return this.dataSource.transaction(async (transaction) => {
      const { live, staged, previous } = await lockedSlots(transaction, of);
      if (!staged) throw nothingStored(tenantId, provider, 'staged');
      if (version !== undefined && version !== staged.version) throw otherVersion(provider, staged);
      usableCredential(this.fernet, tenantId, provider, staged, 'staged');
      const refusal = lastRefusal(staged);
      if (refusal) throw stagedIsRefused(provider, staged, refusal.at);
      const hours = this.config.credentialRollbackHours;
      const whyDropped = hours === 0 ? 'CREDENTIAL_ROLLBACK_HOURS is 0' : this.whyUseless(live);
      const isKept = live !== null && whyDropped === undefined;
      await emptySlot(transaction, of, 'previous');
      const replacedAt = new Date();
      if (isKept) await copyLive(transaction, of, 'previous', replacedAt);
      await moveToLive(transaction, of, 'staged');
      await forgetGone(transaction, of);
      const until = isKept ? rollbackUntil({ replacedAt }, hours) : null;
      const details = {
        before: audited(live),
        after: audited(staged),
        verification: staged.health?.outcome ?? null,
        rollback_until: until?.toISOString() ?? null,
        ...(previous && { dropped: { previous: audited(previous) } }),
      };
      await this.audit.record(transaction, by, { action: 'credential.promote', ...of, details });
      return {
        live: listedOf(this.fernet, staged),
        replaced: replacedOf(live, 'previous', whyDropped),
        rollbackUntil: until,
      };
    });
  }

  /** The previous one becomes live again; the one rolled back is staged, unless another is. */
  async rollback(tenantId: string, provider: Provider, by: ChangedBy): Promise<SwappedCredential> {
    const of = { tenantId, provider: provider.id };
    return this.dataSource.transaction(async (transaction) => {
      const { live, staged, previous } = await lockedSlots(transaction, of);
      if (!previous) throw nothingStored(tenantId, provider, 'previous');
      const hours = this.config.credentialRollbackHours;
      if (isOver(previous, hours)) throw tooLate(provider, previous, rollbackUntil(previous, hours));
      usableCredential(this.fernet, tenantId, provider, previous, 'previous');
      const whyDropped = staged ? `${staged.keyHint} is staged already` : this.whyUseless(live);
      const isKept = live !== null && whyDropped === undefined;
      if (isKept) await copyLive(transaction, of, 'staged', null);
      await moveToLive(transaction, of, 'previous');
      await forgetGone(transaction, of);
      const details = {
        before: audited(live),
        after: audited(previous),
        ...(live && { rolled_back: isKept ? 'staged' : 'dropped' }),
      };
      await this.audit.record(transaction, by, { action: 'credential.rollback', ...of, details });
      return {
        live: listedOf(this.fernet, previous),
        replaced: replacedOf(live, 'staged', whyDropped),
        rollbackUntil: null,
      };
    });
  }

  /** Empties one slot beside the live one. @returns false when it was empty */
  async discard(tenantId: string, provider: Provider, slot: SlotBeside, by: ChangedBy): Promise<boolean> {
    const of = { tenantId, provider: provider.id };
    return this.dataSource.transaction(async (transaction) => {
      const slots = await lockedSlots(transaction, of);
      const before = slots[slot];
      if (!before) return false;
      await emptySlot(transaction, of, slot);
      const over = slot === 'previous' ? {} : await this.dropOver(transaction, slots, of);
      await forgetGone(transaction, of);
      const details = { slot, before: audited(before), ...over };
      await this.audit.record(transaction, by, { action: 'credential.discard', ...of, details });
      return true;
    });
  }

  private async dropOver(transaction: EntityManager, { previous }: ProviderSlots, of: SlotsOf) {
    if (!previous || !isOver(previous, this.config.credentialRollbackHours)) return {};
    await emptySlot(transaction, of, 'previous');
    return { dropped: { previous: audited(previous) } };
  }

  /** What can never be live again need not lie around; an unreadable one can, once its key is loaded. */
  private whyUseless(row: TenantCredential | null): string | undefined {
    const status = row && listedOf(this.fernet, row).status;
    if (status === 'plaintext') return 'it was stored in clear text';
    return status === 'tampered' ? 'it was changed outside Tenkey' : undefined;
  }
}

function replacedOf(
  live: TenantCredential | null,
  slot: SlotBeside,
  whyDropped: string | undefined,
): ReplacedCredential | null {
  if (!live) return null;
  const kept = whyDropped === undefined ? { slot } : { slot: null, whyDropped };
  return { mask: live.keyHint, version: live.version, ...kept };
}
