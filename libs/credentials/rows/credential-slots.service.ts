import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { type DataSource } from 'typeorm';
import { type Config, InjectConfig } from '#config';
import { FernetService } from '#crypto';
import { type RouteCredential } from '#egress';
import { type Provider } from '#providers';
import { TenantsService } from '#tenants';
import { type ListedBeside, type ListedProvider, type SlotBeside } from '../credential';
import { storedRows } from './credential-rows';
import { CredentialSlot } from './credential-slot.entity';
import { CredentialsService, type TenantCredentials } from '../credentials.service';
import { isOver, rollbackUntil } from './provider-slots';
import { listedOf, usableCredential } from './stored-credential';

/** One tenant's credentials of one moment, with what stands beside the live ones. */
export interface TenantSlots {
  readonly live: TenantCredentials;
  beside(providerId: string): ListedBeside;
  /** Also where nothing is live; sorted by provider. */
  all(): ListedProvider[];
}

/** Looks at the credentials beside the live ones. Every query names the tenant. */
@Injectable()
export class CredentialSlotsService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectConfig() private readonly config: Config,
    private readonly fernet: FernetService,
    private readonly tenants: TenantsService,
    private readonly credentials: CredentialsService,
  ) {}

  /** Sorted by provider. Opens nothing, so it works with every key lost. */
  async list(tenantId: string): Promise<ListedProvider[]> {
    await this.tenants.find(tenantId);
    return (await this.ofTenant(tenantId)).all();
  }

  /** A credential beside the live one, checked and still closed: for a probe, no call uses it. */
  async resolve(tenantId: string, provider: Provider, slot: SlotBeside): Promise<RouteCredential> {
    const row = await storedRows(this.dataSource, CredentialSlot, [tenantId])
      .andWhere('c.provider = :provider AND c.slot = :slot', { provider: provider.id, slot })
      .getOne();
    const kept = row && !this.isGone(row) ? row : undefined;
    return usableCredential(this.fernet, tenantId, provider, kept, slot);
  }

  /** Opens nothing. Both tables at one moment, so that a promotion meanwhile is seen whole or not at all. */
  async ofTenant(tenantId: string): Promise<TenantSlots> {
    return this.dataSource.transaction('REPEATABLE READ', async (transaction) => {
      const overview = await this.credentials.overview([tenantId], transaction);
      const rows = await storedRows(transaction, CredentialSlot, [tenantId]).getMany();
      return this.tenantSlots(overview.get(tenantId)!, rows);
    });
  }

  private tenantSlots(live: TenantCredentials, rows: readonly CredentialSlot[]): TenantSlots {
    const kept = rows.filter((row) => !this.isGone(row));
    const beside = (providerId: string): ListedBeside => {
      const inSlot = (slot: SlotBeside) =>
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
      beside,
      all: () =>
        [...providers]
          .sort()
          .map((provider) => ({ provider, live: live.listed(provider) ?? null, ...beside(provider) })),
    };
  }

  private isGone(row: CredentialSlot): boolean {
    return row.slot === 'previous' && isOver(row, this.config.credentialRollbackHours);
  }
}
