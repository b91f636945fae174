import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager, type QueryDeepPartialEntity } from 'typeorm';
import { AuditLogService } from '#audit';
import { type CachedRows, CacheService, ChangesService } from '#cache';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { AddressPolicy, isPrivate, type ProbeResult, type RouteCredential, whatAllows } from '#egress';
import { type ChangedBy, Problem, tenantPath } from '#http';
import { type Provider } from '#providers';
import { type Tenant } from '#tenants';
import { type CredentialFields, type ListedCredential } from './credential';
import { sealingKey } from './encryption/sealing-key';
import { CredentialHealth, CredentialSlot, TenantCredential } from './rows/credentials.entity';
import { type Imported, lockCredentials, sealedRow, storedRows } from './rows/credential-rows';
import { deleteStaleHealth, recordVerification } from './health/health-records';
import { emptySlot, lockedSlots, type ProviderSlots, type SlotsOf } from './rows/provider-slots';
import { audited, differingFields, listedOf, usableCredential } from './rows/stored-credential';

/** All of one tenant's live credentials, read at once: for reports, not for calls. */
export interface TenantCredentials {
  /** Returns or throws what `resolve` would. */
  usable(provider: Provider): RouteCredential;
  /** Undefined when there is none. */
  listed(providerId: string): ListedCredential | undefined;
  all(): ListedCredential[];
  /** The fields in which the stored one differs, see `differingFields`. Undefined when there is none. */
  differing(provider: Provider, fields: Parameters<typeof differingFields>[3]): string[] | undefined;
}

/** The credential that was set, and the masks of those in the inactive slots. */
export interface SetCredential extends ListedCredential {
  readonly stillStaged: string | null;
  readonly dropped: string | null;
}

/** A live row as calls need it. */
interface LiveRow {
  readonly row: TenantCredential | null;
  /** The row, checked when it was first needed for this provider; undefined until then, and when it cannot be used. */
  credential?: RouteCredential;
}

/** An estimate for a row without its settings, with the routes of some models. */
const ROW_BYTES = 5000;

interface SetOptions {
  /** The result of probing the key just before. */
  readonly verification?: ProbeResult;
  /** Where it came from, for the audit; absent: a PUT. */
  readonly origin?: string;
  readonly imported?: Imported;
}

/** Each tenant's credentials. Every method and every query names the tenant. */
@Injectable()
export class CredentialsService {
  readonly #live: CachedRows<LiveRow>;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly fernet: FernetService,
    private readonly addressPolicy: AddressPolicy,
    private readonly audit: AuditLogService,
    private readonly changes: ChangesService,
    cache: CacheService,
  ) {
    this.#live = cache.rows({
      name: 'credential',
      tenantOf: (name) => name.split(' ', 1)[0]!,
      load: (name) => this.loadLive(name),
    });
  }

  /**
   * Seals and stores, in place of the whole live credential. A staged one stays, the previous one is deleted. One transaction,
   * under the lock of the tenant's row.
   */
  async set(
    tenantId: string,
    provider: Provider,
    fields: CredentialFields,
    by: ChangedBy,
    options: SetOptions = {},
  ): Promise<SetCredential> {
    const of = { tenantId, provider: provider.id };
    const set = async (transaction: EntityManager) => {
      const slots = await lockedSlots(transaction, of);
      this.refuseEndpoint(fields.settings, slots.tenant);
      return this.store(transaction, slots, of, fields, by, options);
    };
    return this.changes.transaction([tenantId], set, by);
  }

  /** As `set`, if there is no live credential yet. @returns undefined when there is one, which stays */
  async setIfAbsent(
    tenantId: string,
    provider: Provider,
    fields: CredentialFields,
    by: ChangedBy,
    options: SetOptions = {},
  ): Promise<SetCredential | undefined> {
    const of = { tenantId, provider: provider.id };
    const set = async (transaction: EntityManager) => {
      const slots = await lockedSlots(transaction, of);
      this.refuseEndpoint(fields.settings, slots.tenant);
      if (slots.live) return undefined;
      return this.store(transaction, slots, of, fields, by, options);
    };
    return this.changes.transaction([tenantId], set, by);
  }

  /**
   * Takes the locks of all changes of a tenant's credentials. A transaction that makes several changes calls this after it has locked
   * the tenant: every change locks in the order tenant, sealing key, credentials, audit chain, so the first audit event comes
   * after these.
   * @throws Problem encryption_key_mismatch
   */
  async lockForChanges(transaction: EntityManager, tenantId: string): Promise<void> {
    await sealingKey(transaction, this.fernet);
    await lockCredentials(transaction, tenantId);
  }

  /**
   * Deletes the tenant's credentials for this provider in every slot, also of one that is no longer declared.
   * @returns false when there were none
   */
  async remove(tenantId: string, providerId: string, by: ChangedBy): Promise<boolean> {
    const of = { tenantId, provider: providerId };
    const remove = async (transaction: EntityManager) => {
      const { live, staged, previous } = await lockedSlots(transaction, of);
      if (!live && !staged && !previous) return false;
      await transaction.delete(TenantCredential, of);
      await transaction.delete(CredentialSlot, of);
      await deleteStaleHealth(transaction, of);
      const dropped = {
        ...(staged && { staged: audited(staged) }),
        ...(previous && { previous: audited(previous) }),
      };
      const details = { before: audited(live), ...((staged ?? previous) && { dropped }) };
      await this.audit.record(transaction, by, { action: 'credential.delete', ...of, details });
      return true;
    };
    return this.changes.transaction([tenantId], remove, by);
  }

  /** The tenant's own live credential, checked but still sealed. There is no fallback to any other key. */
  async resolve(tenantId: string, provider: Provider): Promise<RouteCredential> {
    const live = await this.#live.find(`${tenantId} ${provider.id}`);
    // A reload of the catalogue makes a new Provider of each that it declares.
    if (live.credential?.provider === provider) return live.credential;
    const credential = usableCredential(this.fernet, tenantId, provider, live.row ?? undefined);
    live.credential = Object.freeze(credential);
    return credential;
  }

  /** All live credentials of some tenants in one query. Decrypts nothing. @returns one entry for each id */
  async overview(
    tenantIds: readonly string[],
    source: DataSource | EntityManager = this.dataSource,
  ): Promise<Map<string, TenantCredentials>> {
    const rows =
      tenantIds.length === 0
        ? []
        : await storedRows(source, TenantCredential, tenantIds).orderBy('c.provider', 'ASC').getMany();
    const byTenant = new Map<string, TenantCredential[]>(tenantIds.map((id) => [id, []]));
    for (const row of rows) byTenant.get(row.tenantId)?.push(row);
    return new Map([...byTenant].map(([id, rowsOfTenant]) => [id, this.ofTenant(id, rowsOfTenant)]));
  }

  /** Reads a row. The key stays sealed. */
  private async loadLive(name: string) {
    const [tenantId, providerId] = name.split(' ') as [string, string];
    const row = await storedRows(this.dataSource, TenantCredential, [tenantId])
      .andWhere('c.provider = :provider', { provider: providerId })
      .getOne();
    const bytes = row === null ? 0 : ROW_BYTES + JSON.stringify(row.settings).length;
    return { value: { row }, tenantId, bytes };
  }

  private ofTenant(tenantId: string, rows: readonly TenantCredential[]): TenantCredentials {
    const byProvider = new Map(rows.map((row) => [row.provider, row]));
    const listed = (row: TenantCredential | undefined) => row && listedOf(this.fernet, row);
    return {
      usable: (provider) => usableCredential(this.fernet, tenantId, provider, byProvider.get(provider.id)),
      listed: (providerId) => listed(byProvider.get(providerId)),
      all: () => [...byProvider.values()].map((row) => listedOf(this.fernet, row)),
      differing: (provider, fields) => {
        const row = byProvider.get(provider.id);
        return row && differingFields(this.fernet, provider, row, fields);
      },
    };
  }

  private async store(
    transaction: EntityManager,
    { tenant, live, staged, previous }: ProviderSlots,
    { tenantId, provider }: SlotsOf,
    fields: CredentialFields,
    by: ChangedBy,
    { verification, origin, imported }: SetOptions,
  ): Promise<SetCredential> {
    const row = await sealedRow(transaction, this.fernet, tenant, 'live', provider, fields, imported);
    // One statement: if it read first, a DELETE that commits before the write would take the new key with it.
    await transaction.upsert(TenantCredential, row as QueryDeepPartialEntity<TenantCredential>, [
      'tenantId',
      'provider',
    ]);
    // A rollback of an earlier promotion would undo this change as well.
    await emptySlot(transaction, row, 'previous');
    await deleteStaleHealth(transaction, row);
    if (verification) await recordVerification(transaction, row, verification, row.configuredAt);
    const health = await transaction.findOneBy(CredentialHealth, {
      tenantId,
      provider,
      version: row.version,
    });
    await this.audit.record(transaction, by, {
      action: 'credential.set',
      tenantId,
      provider,
      details: {
        before: audited(live),
        after: audited(row),
        ...(verification && { verification: verification.outcome }),
        ...(origin !== undefined && { origin }),
        ...(previous && { dropped: { previous: audited(previous) } }),
      },
    });
    return {
      ...listedOf(this.fernet, Object.assign(row, { health })),
      stillStaged: staged?.mask ?? null,
      dropped: previous?.mask ?? null,
    };
  }

  /**
   * @param tenant absent: it is not known yet. A private address is then not refused, because the tenant's own exceptions may allow it.
   * @throws Problem endpoint_not_allowed, as far as that is known before a connection is opened
   */
  refuseEndpoint(
    settings: Readonly<Record<string, unknown>>,
    tenant?: Pick<Tenant, 'id' | 'egressAllow'>,
  ): void {
    if (typeof settings.endpoint !== 'string') return;
    const reason = this.addressPolicy.checkHost(new URL(settings.endpoint), tenant?.egressAllow);
    if (reason === undefined || (tenant === undefined && isPrivate(reason))) return;
    throw new Problem('endpoint_not_allowed', {
      detail: `The endpoint is not allowed, because it is ${reason}.`,
      hint: whatAllows(reason, `PATCH ${tenantPath(tenant?.id ?? '{tenant_id}')}`),
      errors: [{ path: 'endpoint', message: `endpoint is not allowed, because it is ${reason}` }],
    });
  }

  /** The warning of a PUT whose credential has no endpoint to be sent to. */
  warningOf(provider: Provider, settings: Readonly<Record<string, unknown>>): string | undefined {
    if (settings.endpoint !== undefined || this.config.endpointOf(provider) !== undefined) return undefined;
    const name = provider.baseUrlVariables[0] ?? 'endpoint';
    return `There is no endpoint yet: give one here or set ${name}; until then calls fail with endpoint_not_configured.`;
  }
}
