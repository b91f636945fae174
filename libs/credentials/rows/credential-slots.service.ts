import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { type RouteCredential } from '#egress';
import { type Provider } from '#providers';
import { TenantsService } from '#tenants';
import { type InactiveCredentials, type InactiveSlot, type ListedProvider } from '../credential';
import { CredentialsService, type TenantCredentials } from '../credentials.service';
import { storedRows } from './credential-rows';
import { CredentialSlot } from './credentials.entity';
import { hasRollbackExpired, rollbackUntil } from './provider-slots';
import { listedOf, usableCredential } from './stored-credential';

/** One tenant's credentials in all slots, at one moment. */
export interface TenantSlots {
  readonly live: TenantCredentials;
  inactive(providerId: string): InactiveCredentials;
  /** Sorted by provider, with providers that have no live credential. */
  all(): ListedProvider[];
}

/** Reads the inactive slots. Every query names the tenant. */
@Injectable()
export class CredentialSlotsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly fernet: FernetService,
    private readonly tenants: TenantsService,
    private readonly credentials: CredentialsService,
  ) {}

  /** Sorted by provider. Decrypts nothing, so it works even when every encryption key is lost. */
  async list(tenantId: string): Promise<ListedProvider[]> {
    await this.tenants.find(tenantId);
    return (await this.ofTenant(tenantId)).all();
  }

  /** The credential of an inactive slot, checked but still sealed. It is for a probe: no call uses it. */
  async resolve(tenantId: string, provider: Provider, slot: InactiveSlot): Promise<RouteCredential> {
    const row = await storedRows(this.dataSource, CredentialSlot, [tenantId])
      .andWhere('c.provider = :provider AND c.slot = :slot', { provider: provider.id, slot })
      .getOne();
    const kept = row && !this.isExpiredPrevious(row) ? row : undefined;
    return usableCredential(this.fernet, tenantId, provider, kept, slot);
  }

  /** Decrypts nothing. Reads both tables at one moment, so that it sees either all of a concurrent promotion or none. */
  async ofTenant(tenantId: string): Promise<TenantSlots> {
    return this.dataSource.transaction('REPEATABLE READ', async (transaction) => {
      const overview = await this.credentials.overview([tenantId], transaction);
      const rows = await storedRows(transaction, CredentialSlot, [tenantId]).getMany();
      return this.tenantSlots(overview.get(tenantId)!, rows);
    });
  }

  private tenantSlots(live: TenantCredentials, rows: readonly CredentialSlot[]): TenantSlots {
    const kept = rows.filter((row) => !this.isExpiredPrevious(row));
    const inactive = (providerId: string): InactiveCredentials => {
      const inSlot = (slot: InactiveSlot) =>
        kept.find((row) => row.provider === providerId && row.slot === slot);
      const [staged, previous] = [inSlot('staged'), inSlot('previous')];
      const hours = this.config.credentialRollbackHours;
      return {
        staged: staged ? listedOf(this.fernet, staged) : null,
        previous: previous
          ? { ...listedOf(this.fernet, previous), rollbackUntil: rollbackUntil(previous, hours) }
          : null,
      };
    };
    const providers = new Set([...live.all(), ...kept].map(({ provider }) => provider));
    return {
      live,
      inactive,
      all: () =>
        [...providers]
          .sort()
          .map((provider) => ({ provider, live: live.listed(provider) ?? null, ...inactive(provider) })),
    };
  }

  private isExpiredPrevious(row: CredentialSlot): boolean {
    return row.slot === 'previous' && hasRollbackExpired(row, this.config.credentialRollbackHours);
  }
}
