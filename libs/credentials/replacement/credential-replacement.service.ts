import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager, type QueryDeepPartialEntity } from 'typeorm';
import { AuditLogService } from '#audit';
import { ChangesService } from '#cache';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { type ProbeResult } from '#egress';
import { type ChangedBy } from '#http';
import { type Provider } from '#providers';
import { type CredentialFields, type ListedCredential, type InactiveSlot } from '../credential';
import { CredentialHealth, CredentialSlot, type TenantCredential } from '../rows/credentials.entity';
import { sealedRow } from '../rows/credential-rows';
import { sealFormOf } from '../encryption/sealing-key';
import { CredentialsService } from '../credentials.service';
import { deleteStaleHealth, recordVerification } from '../health/health-records';
import {
  copyLive,
  emptySlot,
  hasRollbackExpired,
  lockedSlots,
  moveToLive,
  type ProviderSlots,
  rollbackUntil,
  type SlotsOf,
} from '../rows/provider-slots';
import { isBoundToSlot, sealFor } from '../rows/seal';
import { nothingStored, otherVersion, stagedIsRefused, tooLate } from '../rows/slot-problems';
import { audited, lastRefusal, listedOf, usableCredential } from '../rows/stored-credential';

export interface StagedCredential extends ListedCredential {
  /** The mask of the live credential, which calls still use. */
  readonly liveMask: string | null;
}

/** What a promotion or a rollback made live, and what happened to the credential that it replaced. */
export interface SwappedCredential {
  readonly live: ListedCredential;
  readonly replaced: ReplacedCredential | null;
  /** Given for a promotion that keeps what it replaced. */
  readonly rollbackUntil: Date | null;
}

/** @property whyDropped given when it is not kept in a slot */
interface ReplacedCredential {
  readonly mask: string;
  readonly version: string;
  readonly slot: InactiveSlot | null;
  readonly whyDropped?: string;
}

/**
 * Replaces a live credential in steps: stage, promote, roll back. Each step is one transaction under the tenant's lock and moves
 * rows, of which only the seal changes: nothing is decrypted, and a version always names the same key. A call that has started keeps
 * the credential that it started with.
 */
@Injectable()
export class CredentialReplacementService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly fernet: FernetService,
    private readonly credentials: CredentialsService,
    private readonly audit: AuditLogService,
    private readonly changes: ChangesService,
  ) {}

  /** Seals and stores in the staged slot, in place of what was there. The live credential is not changed. */
  async stage(
    tenantId: string,
    provider: Provider,
    fields: CredentialFields,
    by: ChangedBy,
    verification?: ProbeResult,
  ): Promise<StagedCredential> {
    const of = { tenantId, provider: provider.id };
    return this.dataSource.transaction(async (transaction) => {
      const slots = await lockedSlots(transaction, of);
      this.credentials.refuseEndpoint(fields.settings, slots.tenant);
      const sealed = await sealedRow(transaction, this.fernet, slots.tenant, 'staged', provider.id, fields);
      const row = Object.assign(new CredentialSlot(), sealed, { slot: 'staged', replacedAt: null });
      await transaction.upsert(CredentialSlot, row as QueryDeepPartialEntity<CredentialSlot>, [
        'tenantId',
        'provider',
        'slot',
      ]);
      const dropped = await this.dropExpiredPrevious(transaction, slots, of);
      await deleteStaleHealth(transaction, of);
      if (verification) await recordVerification(transaction, row, verification, row.configuredAt);
      const health = await transaction.findOneBy(CredentialHealth, { ...of, version: row.version });
      const details = {
        before: audited(slots.staged),
        after: audited(row),
        ...(verification && { verification: verification.outcome }),
        ...dropped,
      };
      await this.audit.record(transaction, by, { action: 'credential.stage', ...of, details });
      const liveMask = slots.live?.mask ?? null;
      return { ...listedOf(this.fernet, Object.assign(row, { health })), liveMask };
    });
  }

  /**
   * The staged credential becomes live, the live one previous.
   * @param version the version that must be the staged one; absent: any
   */
  async promote(
    tenantId: string,
    provider: Provider,
    by: ChangedBy,
    version?: string,
  ): Promise<SwappedCredential> {
    const of = { tenantId, provider: provider.id };
    const promote = async (transaction: EntityManager) => {
      const { live, staged, previous } = await lockedSlots(transaction, of);
      if (!staged) throw nothingStored(tenantId, provider, 'staged');
      if (version !== undefined && version !== staged.version) throw otherVersion(provider, staged);
      usableCredential(this.fernet, tenantId, provider, staged, 'staged');
      const refusal = lastRefusal(staged);
      if (refusal) throw stagedIsRefused(provider, staged, refusal.at);
      const hours = this.config.credentialRollbackHours;
      const form = await sealFormOf(transaction);
      const whyDropped = hours === 0 ? 'CREDENTIAL_ROLLBACK_HOURS is 0' : this.whyUseless(live);
      const isKept = live !== null && whyDropped === undefined;
      await emptySlot(transaction, of, 'previous');
      const replacedAt = new Date();
      if (isKept)
        await copyLive(transaction, of, 'previous', sealFor('previous', this.fernet, live, form), replacedAt);
      await moveToLive(transaction, of, 'staged', sealFor('live', this.fernet, staged, form));
      await deleteStaleHealth(transaction, of);
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
    };
    return this.changes.transaction([tenantId], promote, by);
  }

  /** The previous credential becomes live again. The live one is staged, unless another one is. */
  async rollback(tenantId: string, provider: Provider, by: ChangedBy): Promise<SwappedCredential> {
    const of = { tenantId, provider: provider.id };
    const rollback = async (transaction: EntityManager) => {
      const { live, staged, previous } = await lockedSlots(transaction, of);
      if (!previous) throw nothingStored(tenantId, provider, 'previous');
      const hours = this.config.credentialRollbackHours;
      if (hasRollbackExpired(previous, hours))
        throw tooLate(provider, previous, rollbackUntil(previous, hours));
      usableCredential(this.fernet, tenantId, provider, previous, 'previous');
      const form = await sealFormOf(transaction);
      const whyDropped = staged ? `${staged.mask} is staged already` : this.whyUseless(live);
      const isKept = live !== null && whyDropped === undefined;
      if (isKept) await copyLive(transaction, of, 'staged', sealFor('staged', this.fernet, live, form), null);
      await moveToLive(transaction, of, 'previous', sealFor('live', this.fernet, previous, form));
      await deleteStaleHealth(transaction, of);
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
    };
    return this.changes.transaction([tenantId], rollback, by);
  }

  /** Empties an inactive slot. @returns false when it was empty */
  async discard(tenantId: string, providerId: string, slot: InactiveSlot, by: ChangedBy): Promise<boolean> {
    const of = { tenantId, provider: providerId };
    return this.dataSource.transaction(async (transaction) => {
      const slots = await lockedSlots(transaction, of);
      const before = slots[slot];
      if (!before) return false;
      await emptySlot(transaction, of, slot);
      const dropped = slot === 'previous' ? {} : await this.dropExpiredPrevious(transaction, slots, of);
      await deleteStaleHealth(transaction, of);
      const details = { slot, before: audited(before), ...dropped };
      await this.audit.record(transaction, by, { action: 'credential.discard', ...of, details });
      return true;
    });
  }

  private async dropExpiredPrevious(transaction: EntityManager, { previous }: ProviderSlots, of: SlotsOf) {
    if (!previous || !hasRollbackExpired(previous, this.config.credentialRollbackHours)) return {};
    await emptySlot(transaction, of, 'previous');
    return { dropped: { previous: audited(previous) } };
  }

  /** Why a credential is not kept in another slot. */
  private whyUseless(row: TenantCredential | null): string | undefined {
    const status = row && listedOf(this.fernet, row).status;
    if (status === 'plaintext') return 'it was stored in clear text';
    if (status === 'tampered') return 'it was changed outside Tenkey';
    // Without the key it cannot be sealed for another slot.
    if (status === 'unreadable' && isBoundToSlot(row!)) return 'its encryption key is not loaded';
    return undefined;
  }
}

function replacedOf(
  live: TenantCredential | null,
  slot: InactiveSlot,
  whyDropped: string | undefined,
): ReplacedCredential | null {
  if (!live) return null;
  const kept = whyDropped === undefined ? { slot } : { slot: null, whyDropped };
  return { mask: live.mask, version: live.version, ...kept };
}
