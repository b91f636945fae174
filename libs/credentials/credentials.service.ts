import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource, type QueryDeepPartialEntity } from 'typeorm';
import { AuditLog } from '#audit';
import { type Config, InjectConfig } from '#config';
import { FernetService, Secret } from '#crypto';
import { AddressPolicy, type RouteCredential } from '#egress';
import { type ChangedBy, Problem } from '#http';
import { type Provider } from '#providers';
import { lockedTenant, TenantsService } from '#tenants';
import { type CredentialFields, type CredentialStatus, type ListedCredential } from './credential';
import { fitsSeal, sealOf } from './seal';
import { TenantCredential } from './tenant-credential.entity';

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
  ): Promise<ListedCredential> {
    this.refuseEndpoint(fields.settings);
    return this.dataSource.transaction(async (transaction) => {
      await lockedTenant(transaction, tenantId);
      const before = await transaction.findOneBy(TenantCredential, { tenantId, provider: provider.id });
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
      });
      row.seal = sealOf(this.fernet, row);
      // One statement: a DELETE that commits between a look and a write would leave nothing of a key that was set.
      await transaction.upsert(TenantCredential, row as QueryDeepPartialEntity<TenantCredential>, [
        'tenantId',
        'provider',
      ]);
      await this.audit.record(transaction, by, {
        action: 'credential.set',
        tenantId,
        provider: provider.id,
        details: { before: shown(before), after: shown(row) },
      });
      return this.listed(row);
    });
  }

  /** Sorted by provider. Opens nothing, so it works with every key lost. */
  async list(tenantId: string): Promise<ListedCredential[]> {
    await this.tenants.find(tenantId);
    const rows = await this.withSealedKey(tenantId).orderBy('c.provider', 'ASC').getMany();
    return rows.map((row) => this.listed(row));
  }

  /** @returns false when there was none */
  async remove(tenantId: string, provider: Provider, by: ChangedBy): Promise<boolean> {
    return this.dataSource.transaction(async (transaction) => {
      await lockedTenant(transaction, tenantId);
      const row = { tenantId, provider: provider.id };
      const before = await transaction.findOneBy(TenantCredential, row);
      if (!before) return false;
      await transaction.delete(TenantCredential, row);
      const details = { before: shown(before) };
      await this.audit.record(transaction, by, { action: 'credential.delete', ...row, details });
      return true;
    });
  }

  /** The tenant's own credential, checked and still closed. No other key is ever looked for. */
  async resolve(tenantId: string, provider: Provider): Promise<RouteCredential> {
    const row = await this.withSealedKey(tenantId)
      .andWhere('c.provider = :provider', { provider: provider.id })
      .getOne();
    return this.resolved(tenantId, provider, row ?? undefined);
  }

  /**
   * All of a tenant's credentials, read at once, for looking and not for calling.
   * @returns what `resolve` would return, or throw
   */
  async resolver(tenantId: string): Promise<(provider: Provider) => RouteCredential> {
    const rows = await this.withSealedKey(tenantId).getMany();
    const byProvider = new Map(rows.map((row) => [row.provider, row]));
    return (provider) => this.resolved(tenantId, provider, byProvider.get(provider.id));
  }

  private resolved(tenantId: string, provider: Provider, row: TenantCredential | undefined): RouteCredential {
    const put = `PUT /api/v1/sysadmin/tenants/${tenantId}/credentials/${provider.id}`;
    if (!row) {
      throw new Problem('credential_not_configured', {
        detail: `Tenant ${tenantId} has no ${provider.label} credential, and no other key is used in its place.`,
        hint: `${put} with ${JSON.stringify(provider.example)}`,
      });
    }
    const status = this.statusOf(row);
    switch (status) {
      case 'plaintext':
        throw new Problem('credential_plaintext', {
          detail: `The ${provider.label} credential of tenant ${tenantId} is stored in clear text and is not used.`,
          hint: `${put} with the key stores it sealed.`,
        });
      case 'unreadable':
        throw this.unreadable(row, provider, put);
      case 'tampered':
        throw new Problem('credential_tampered', {
          detail: `The ${provider.label} credential of tenant ${tenantId} was changed outside Tenkey and is not used.`,
          hint: `Find out who changed the database, then ${put} with the key.`,
        });
      case 'ready':
        return {
          tenantId: row.tenantId,
          provider,
          source: 'tenant',
          mask: row.keyHint,
          version: row.version,
          settings: row.settings,
          open: () => this.open(row, provider, put),
        };
    }
  }

  private open(row: TenantCredential, provider: Provider, put: string): Secret {
    try {
      return this.fernet.decrypt(row.sealedApiKey, row.keyId);
    } catch (error) {
      throw this.unreadable(row, provider, put, error);
    }
  }

  private unreadable(row: TenantCredential, provider: Provider, put: string, cause?: unknown): Problem {
    return new Problem('credential_unreadable', {
      detail: `The ${provider.label} credential of tenant ${row.tenantId} was sealed under another ENCRYPTION_KEY (fingerprint ${row.keyId}).`,
      hint: `Load that key in ENCRYPTION_KEY or ENCRYPTION_KEY_PREVIOUS, or ${put} with the key again.`,
      cause,
    });
  }

  private statusOf(row: TenantCredential): CredentialStatus {
    if (!this.fernet.isSealed(row.sealedApiKey)) return 'plaintext';
    if (!this.fernet.hasKey(row.keyId)) return 'unreadable';
    return fitsSeal(this.fernet, row) ? 'ready' : 'tampered';
  }

  private listed(row: TenantCredential): ListedCredential {
    return {
      provider: row.provider,
      mask: row.keyHint,
      isEncrypted: this.fernet.isSealed(row.sealedApiKey),
      configuredAt: row.configuredAt,
      settings: row.settings,
      version: row.version,
      status: this.statusOf(row),
    };
  }

  private withSealedKey(tenantId: string) {
    return this.dataSource
      .createQueryBuilder(TenantCredential, 'c')
      .addSelect('c.sealedApiKey')
      .where('c.tenant_id = :tenantId', { tenantId });
  }

  private refuseEndpoint(settings: Readonly<Record<string, unknown>>): void {
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
    const hasEndpoint =
      settings.endpoint !== undefined || provider.defaultEndpoint || this.config.baseUrls.has(provider.id);
    if (hasEndpoint) return undefined;
    const name = provider.baseUrlVariables[0] ?? 'endpoint';
    return `There is no endpoint yet: give one here or set ${name}; until then calls fail with endpoint_not_configured.`;
  }
}

/** What the audit may say of a credential. Of settings their names: an address may hold what somebody pasted. */
function shown(row: TenantCredential | null) {
  // Whoever edits the row can leave anything there, also no object.
  const settings: unknown = row?.settings;
  const names = typeof settings === 'object' && settings !== null ? Object.keys(settings).sort() : [];
  return row && { mask: row.keyHint, version: row.version, settings: names };
}
