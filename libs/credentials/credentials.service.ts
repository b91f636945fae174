import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type EntityManager, type QueryDeepPartialEntity } from 'typeorm';
import { AuditLog } from '#audit';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { AddressPolicy, type ProbeResult, type RouteCredential } from '#egress';
import { type ChangedBy, Problem } from '#http';
import { type Provider } from '#providers';
import { lockedTenant, TenantsService } from '#tenants';
import { type CredentialFields, type ListedCredential } from './credential';
import { CredentialHealth } from './credential-health.entity';
import { operatorEndpoint } from './endpoint';
import { recordVerification } from './health-records';
import { sealOf } from './seal';
import { audited, listedOf, usableCredential } from './stored-credential';
import { TenantCredential } from './tenant-credential.entity';

/** All of one tenant's credentials, read at once, for looking and not for calling. */
export interface TenantCredentials {
  /** What `resolve` would return, or throw. */
  usable(provider: Provider): RouteCredential;
  /** As listed; undefined when there is none. */
  listed(providerId: string): ListedCredential | undefined;
  all(): ListedCredential[];
}

interface SetOptions {
  /** What the provider said of the key just before. */
  readonly verification?: ProbeResult;
  /** By what way it came, for the audit, where not by PUT. */
  readonly origin?: string;
}

/** Each tenant's credentials. Every query names the tenant; there is no method without one. */
@Injectable()
export class CredentialsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly fernet: FernetService,
    private readonly tenants: TenantsService,
    private readonly addressPolicy: AddressPolicy,
    private readonly audit: AuditLog,
  ) {}

  /** Seals and stores, replacing the provider's entry whole. One transaction; the tenant's row orders parallel calls. */
  async set(
    tenantId: string,
    provider: Provider,
    fields: CredentialFields,
    by: ChangedBy,
    options: SetOptions = {},
  ): Promise<ListedCredential> {
    this.refuseEndpoint(fields.settings);
    return this.dataSource.transaction(async (transaction) => {
      const before = await this.lockedRow(transaction, tenantId, provider);
      return this.store(transaction, tenantId, provider, fields, by, before, options);
    });
  }

  /** As `set`, where there is none yet. @returns undefined when there is one: it is kept */
  async setIfAbsent(
    tenantId: string,
    provider: Provider,
    fields: CredentialFields,
    by: ChangedBy,
    options: SetOptions = {},
  ): Promise<ListedCredential | undefined> {
    this.refuseEndpoint(fields.settings);
    return this.dataSource.transaction(async (transaction) => {
      const before = await this.lockedRow(transaction, tenantId, provider);
      if (before) return undefined;
      return this.store(transaction, tenantId, provider, fields, by, before, options);
    });
  }

  /** Sorted by provider. Opens nothing, so it works with every key lost. */
  async list(tenantId: string): Promise<ListedCredential[]> {
    await this.tenants.find(tenantId);
    const rows = await this.withSealedKey([tenantId]).orderBy('c.provider', 'ASC').getMany();
    return rows.map((row) => listedOf(this.fernet, row));
  }

  /** @returns false when there was none */
  async remove(tenantId: string, provider: Provider, by: ChangedBy): Promise<boolean> {
    return this.dataSource.transaction(async (transaction) => {
      const row = { tenantId, provider: provider.id };
      const before = await this.lockedRow(transaction, tenantId, provider);
      if (!before) return false;
      await transaction.delete(TenantCredential, row);
      const details = { before: audited(before) };
      await this.audit.record(transaction, by, { action: 'credential.delete', ...row, details });
      return true;
    });
  }

  /** The tenant's own credential, checked and still closed. No other key is ever looked for. */
  async resolve(tenantId: string, provider: Provider): Promise<RouteCredential> {
    const row = await this.withSealedKey([tenantId])
      .andWhere('c.provider = :provider', { provider: provider.id })
      .getOne();
    return usableCredential(this.fernet, tenantId, provider, row ?? undefined);
  }

  /** All credentials of some tenants in one query. Opens nothing. @returns one entry for each id */
  async overview(tenantIds: readonly string[]): Promise<Map<string, TenantCredentials>> {
    const rows =
      tenantIds.length === 0
        ? []
        : await this.withSealedKey(tenantIds).orderBy('c.provider', 'ASC').getMany();
    return new Map(tenantIds.map((id) => [id, this.ofTenant(id, rows)]));
  }

  private ofTenant(tenantId: string, rows: readonly TenantCredential[]): TenantCredentials {
    const byProvider = new Map(
      rows.filter((row) => row.tenantId === tenantId).map((row) => [row.provider, row]),
    );
    const listed = (row: TenantCredential | undefined) => row && listedOf(this.fernet, row);
    return {
      usable: (provider) => usableCredential(this.fernet, tenantId, provider, byProvider.get(provider.id)),
      listed: (providerId) => listed(byProvider.get(providerId)),
      all: () => [...byProvider.values()].map((row) => listedOf(this.fernet, row)),
    };
  }

  private async lockedRow(
    transaction: EntityManager,
    tenantId: string,
    provider: Provider,
  ): Promise<TenantCredential | null> {
    await lockedTenant(transaction, tenantId);
    return transaction.findOneBy(TenantCredential, { tenantId, provider: provider.id });
  }

  private async store(
    transaction: EntityManager,
    tenantId: string,
    provider: Provider,
    fields: CredentialFields,
    by: ChangedBy,
    before: TenantCredential | null,
    { verification, origin }: SetOptions,
  ): Promise<ListedCredential> {
    const [next] = await transaction.query<{ version: string }[]>(
      `SELECT nextval('credential_versions')::text AS version`,
    );
    const { sealed, keyId } = this.fernet.encrypt(fields.apiKey);
    const row = Object.assign(new TenantCredential(), {
      tenantId,
      provider: provider.id,
      sealedApiKey: sealed,
      keyHint: fields.apiKey.mask,
      settings: { ...fields.settings },
      keyId,
      version: next?.version ?? '',
      configuredAt: new Date(),
      expiresAt: fields.expiresAt,
    });
    row.seal = sealOf(this.fernet, row);
    // One statement: a DELETE that commits between a look and a write would leave nothing of a key that was set.
    await transaction.upsert(TenantCredential, row as QueryDeepPartialEntity<TenantCredential>, [
      'tenantId',
      'provider',
    ]);
    await transaction.delete(CredentialHealth, { tenantId, provider: provider.id });
    if (verification) await recordVerification(transaction, row, verification, row.configuredAt);
    await this.audit.record(transaction, by, {
      action: 'credential.set',
      tenantId,
      provider: provider.id,
      details: {
        before: audited(before),
        after: audited(row),
        ...(verification && { verification: verification.outcome }),
        ...(origin !== undefined && { origin }),
      },
    });
    const health = await transaction.findOneBy(CredentialHealth, { tenantId, provider: provider.id });
    return listedOf(this.fernet, Object.assign(row, { health }));
  }

  private withSealedKey(tenantIds: readonly string[]) {
    return this.dataSource
      .createQueryBuilder(TenantCredential, 'c')
      .addSelect('c.sealedApiKey')
      .leftJoinAndMapOne(
        'c.health',
        CredentialHealth,
        'h',
        'h.tenant_id = c.tenant_id AND h.provider = c.provider AND h.version = c.version',
      )
      .where('c.tenant_id IN (:...tenantIds)', { tenantIds });
  }

  /** @throws Problem endpoint_not_allowed, as far as that can be told before a connection */
  refuseEndpoint(settings: Readonly<Record<string, unknown>>): void {
    if (typeof settings.endpoint !== 'string') return;
    const reason = this.addressPolicy.checkHost(new URL(settings.endpoint));
    if (reason === undefined) return;
    throw new Problem('endpoint_not_allowed', {
      detail: `The endpoint is not allowed: ${reason}.`,
      hint: 'An operator can allow it in EGRESS_ALLOW, e.g. EGRESS_ALLOW=127.0.0.1:8000.',
      errors: [{ path: 'endpoint', message: `endpoint is not allowed: ${reason}` }],
    });
  }

  /** The warning a PUT gives for a credential that has nowhere to go. */
  warningOf(provider: Provider, settings: Readonly<Record<string, unknown>>): string | undefined {
    if (settings.endpoint !== undefined || operatorEndpoint(this.config, provider) !== undefined)
      return undefined;
    const name = provider.baseUrlVariables[0] ?? 'endpoint';
    return `There is no endpoint yet: give one here or set ${name}; until then calls fail with endpoint_not_configured.`;
  }
}
