import { setImmediate as turn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig, type Mode } from '#config';
import {
  CredentialsService,
  expiresWithinDays,
  KeyCanaryService,
  type TenantCredentials,
} from '#credentials';
import { AddressPolicy } from '#egress';
import { type Provider } from '#providers';
import { type Tenant, TenantsService } from '#tenants';
import { adaptersFor } from './explain.service';
import { explain, type ExplainedCredential, type Obstacle } from './explanation';
import { type Model, providerOfModel } from '../catalogue/model';
import { ModelCatalogue } from '../catalogue/model-catalogue';

/** What becomes of one tenant's calls of one provider's models. */
export interface ReadinessCell {
  readonly provider: Provider;
  readonly credential?: ExplainedCredential;
  /** The models whose calls would fail; none: ready. */
  readonly failing: readonly Model[];
  /** Of the first of them. */
  readonly obstacle?: Obstacle;
  /** Of `failing`, those that work as Tenkey is set up now, or would but for a credential that is there and not usable. */
  readonly breaking: readonly Model[];
}

export interface TenantReadiness {
  readonly tenant: Tenant;
  readonly cells: readonly ReadinessCell[];
}

export interface ExpiryWarning {
  readonly tenant: Tenant;
  readonly provider: string;
  readonly mask: string;
  readonly version: string;
  readonly expiresAt: Date;
  /** 30, 7 or 1; 0: it has expired. */
  readonly withinDays: number;
}

export interface ReadinessPage {
  /** In force. */
  readonly currentMode: Mode;
  /** That the report is about. */
  readonly mode: Mode;
  /** True: calls get receipts, and the audit's chain is an HMAC. Both need an encryption key. */
  readonly hasReceipts: boolean;
  /** What stops all tenants alike. */
  readonly blockers: readonly string[];
  /** Providers in use by the catalogue, with their models. */
  readonly columns: ReadonlyMap<Provider, readonly Model[]>;
  readonly rows: readonly TenantReadiness[];
  readonly warnings: readonly ExpiryWarning[];
  /** All tenants. */
  readonly total: number;
  readonly nextCursor: string | null;
}

/**
 * The matrix of tenants and providers: whose calls would fail, now or in strict mode. By the adapters of the calls, under
 * the configuration in question; nothing is opened or called.
 */
@Injectable()
export class ReadinessService {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly tenants: TenantsService,
    private readonly catalogue: ModelCatalogue,
    private readonly credentials: CredentialsService,
    private readonly canary: KeyCanaryService,
    private readonly policy: AddressPolicy,
  ) {}

  /** @param strict what would be if strict mode were in force; else, what is */
  async page(strict: boolean, query: { limit?: number; cursor?: string } = {}): Promise<ReadinessPage> {
    const { config } = this;
    const asked = strict ? strictVersion(config) : config;
    const columns = columnsOf(this.catalogue.all());
    const page = await this.tenants.list(query);
    const overview = await this.credentials.overview(page.items.map(({ id }) => id));
    const rows: TenantReadiness[] = [];
    const warnings: ExpiryWarning[] = [];
    for (const tenant of page.items) {
      const credentials = overview.get(tenant.id);
      if (!credentials) continue;
      const cells: ReadinessCell[] = [];
      for (const [provider, models] of columns) {
        cells.push(await this.cell(tenant, provider, models, credentials, asked));
      }
      rows.push({ tenant, cells });
      warnings.push(...expiriesOf(tenant, credentials));
      // Other requests are answered between two tenants.
      await turn();
    }
    return {
      currentMode: config.mode,
      mode: asked.mode,
      hasReceipts: config.encryptionKeys.current !== undefined,
      blockers: await this.blockers(asked),
      columns,
      rows,
      warnings,
      total: page.total,
      nextCursor: page.nextCursor,
    };
  }

  private async cell(
    tenant: Tenant,
    provider: Provider,
    models: readonly Model[],
    credentials: TenantCredentials,
    asked: Config,
  ): Promise<ReadinessCell> {
    const found = await this.explained(tenant, models, credentials, asked);
    const failing = found.filter(({ obstacle }) => obstacle !== undefined);
    const before =
      asked === this.config ? found : await this.explained(tenant, models, credentials, this.config);
    const worksNow = new Set(
      before.filter(({ obstacle }) => obstacle === undefined).map(({ model }) => model),
    );
    // Without a credential a tenant does not use this provider; one that is there and not usable is a fault.
    const breaking = failing.filter(
      ({ model, credential }) => worksNow.has(model) || credential !== undefined,
    );
    return {
      provider,
      credential: found.find(({ credential }) => credential)?.credential,
      failing: failing.map(({ model }) => model),
      obstacle: (breaking[0] ?? failing[0])?.obstacle,
      // A suspended tenant's calls are refused in either mode.
      breaking: tenant.state === 'active' ? breaking.map(({ model }) => model) : [],
    };
  }

  private explained(
    tenant: Tenant,
    models: readonly Model[],
    credentials: TenantCredentials,
    config: Config,
  ) {
    const { litellm, legacy } = adaptersFor(config, this.credentials);
    return Promise.all(
      models.map((model) =>
        explain(tenant.id, model, model.litellm_model_name ? litellm : legacy, credentials, this.policy),
      ),
    );
  }

  private async blockers(asked: Config): Promise<string[]> {
    if (!asked.tenantCredentialsEnabled) return [];
    if (asked.encryptionKeys.current === undefined) {
      return [
        'ENCRYPTION_KEY is not set: strict mode does not start without it, and whether stored credentials can be read cannot be told. npm run generate-encryption-key prints a line for .env; where credentials are stored already it must be the key that they were sealed under.',
      ];
    }
    const check = await this.canary.check();
    return check.isReady || check.reason === undefined ? [] : [check.reason];
  }
}

/** The configuration as it would be with TENANT_CREDENTIALS_ENABLED=true and nothing else changed. */
function strictVersion(config: Config): Config {
  if (config.tenantCredentialsEnabled) return config;
  return Object.freeze({
    ...config,
    mode: 'strict',
    tenantCredentialsEnabled: true,
    globalCredential: (provider: Provider) =>
      config.legacyModelsUseGlobalKeys ? config.globalCredential(provider) : undefined,
  });
}

function columnsOf(models: readonly Model[]): Map<Provider, Model[]> {
  const columns = new Map<Provider, Model[]>();
  for (const model of models) {
    const provider = providerOfModel(model)?.provider;
    if (provider) columns.set(provider, [...(columns.get(provider) ?? []), model]);
  }
  return columns;
}

/** Also of providers that no model of the catalogue uses. */
function expiriesOf(tenant: Tenant, credentials: TenantCredentials): ExpiryWarning[] {
  return credentials.all().flatMap(({ provider, mask, version, expiresAt }) => {
    const withinDays = expiresWithinDays(expiresAt);
    if (expiresAt === null || withinDays === undefined) return [];
    return [{ tenant, provider, mask, version, expiresAt, withinDays }];
  });
}
