import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig, type Mode } from '#config';
import {
  CredentialsService,
  expiresWithinDays,
  SealingKeyService,
  type TenantCredentials,
} from '#credentials';
import { AddressPolicy } from '#egress';
import { type Provider } from '#providers';
import { type Tenant, TenantsService } from '#tenants';
import { adaptersFor } from './explain.service';
import {
  type ExpectedProblem,
  type ExplainedCredential,
  explainModel,
  sharedDeploymentWarnings,
} from './explain-model';
import { type Model, providerOfModel } from '../catalogue/model';
import { ModelCatalogue } from '../catalogue/model-catalogue';

/** What would happen to one tenant's calls of one provider's models. */
export interface ReadinessCell {
  readonly provider: Provider;
  readonly credential?: ExplainedCredential;
  /** The models whose calls would fail. The cell is ready when there are none. */
  readonly failing: readonly Model[];
  /** The problem of the first breaking model, or else of the first failing one. */
  readonly problem?: ExpectedProblem;
  /** The failing models that work in the mode in force, whose credential exists and cannot be used, or whose provider is expected. */
  readonly breaking: readonly Model[];
  /** Warnings, which stop no call. */
  readonly warnings: readonly string[];
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
  /** 30, 7 or 1; 0 when the credential has expired. */
  readonly withinDays: number;
}

export interface ReadinessPage {
  /** The mode in force. */
  readonly currentMode: Mode;
  /** The mode that the report is about. */
  readonly mode: Mode;
  /** True when there is an encryption key: then calls have receipts, and the audit chain is an HMAC. */
  readonly hasReceipts: boolean;
  /** What blocks the calls of all tenants. */
  readonly blockers: readonly string[];
  /** The providers that the catalogue uses, with their models. */
  readonly columns: ReadonlyMap<Provider, readonly Model[]>;
  readonly rows: readonly TenantReadiness[];
  readonly warnings: readonly ExpiryWarning[];
  /** The number of all tenants. */
  readonly total: number;
  readonly nextCursor: string | null;
}

/**
 * Reports whose calls would fail, now or in strict mode, as a matrix of tenants and providers. It uses the adapters of calls
 * with the configuration of that mode, opens no credential and calls no provider.
 */
@Injectable()
export class ReadinessService {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly tenants: TenantsService,
    private readonly catalogue: ModelCatalogue,
    private readonly credentials: CredentialsService,
    private readonly sealingKey: SealingKeyService,
    private readonly policy: AddressPolicy,
  ) {}

  /** @param strict whether to report about strict mode; else the report is about the mode in force */
  async page(strict: boolean, query: { limit?: number; cursor?: string } = {}): Promise<ReadinessPage> {
    const { config } = this;
    const currentMode = config.mode;
    const reportedConfig = strict ? strictVersion(config) : config;
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
        cells.push(await this.cell(tenant, provider, models, credentials, reportedConfig));
      }
      rows.push({ tenant, cells });
      warnings.push(...expiryWarnings(tenant, credentials));
      // Let other requests run between two tenants.
      await nextTurn();
    }
    return {
      currentMode,
      mode: reportedConfig.mode,
      hasReceipts: config.encryptionKeys.current !== undefined,
      blockers: await this.blockers(reportedConfig),
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
    reportedConfig: Config,
  ): Promise<ReadinessCell> {
    const explanations = await this.explain(tenant, models, credentials, reportedConfig);
    const failing = explanations.filter(({ problem }) => problem !== undefined);
    const today =
      reportedConfig === this.config
        ? explanations
        : await this.explain(tenant, models, credentials, this.config);
    const worksNow = new Set(today.filter(({ problem }) => problem === undefined).map(({ model }) => model));
    // A tenant without a credential does not use the provider, so nothing breaks, unless it is expected to have one. A credential
    // that cannot be used breaks calls.
    const isExpected = tenant.expectedProviders?.includes(provider.id) ?? false;
    const breaking = failing.filter(
      ({ model, credential }) => isExpected || worksNow.has(model) || credential !== undefined,
    );
    return {
      provider,
      credential: explanations.find(({ credential }) => credential)?.credential,
      failing: failing.map(({ model }) => model),
      problem: (breaking[0] ?? failing[0])?.problem,
      // The calls of a suspended tenant are refused in both modes.
      breaking: tenant.state === 'active' ? breaking.map(({ model }) => model) : [],
      warnings: sharedDeploymentWarnings(explanations).map(({ warning }) => warning),
    };
  }

  private explain(tenant: Tenant, models: readonly Model[], credentials: TenantCredentials, config: Config) {
    const { litellm, legacy } = adaptersFor(config, this.credentials);
    return Promise.all(
      models.map((model) =>
        explainModel(tenant.id, model, model.litellm_model_name ? litellm : legacy, credentials, this.policy),
      ),
    );
  }

  private async blockers(reportedConfig: Config): Promise<string[]> {
    if (!reportedConfig.tenantCredentialsEnabled) return [];
    if (reportedConfig.encryptionKeys.current === undefined) {
      return [
        'ENCRYPTION_KEY is not set. Tenkey does not start in strict mode without it, and cannot check here whether stored credentials can be read. Run npm run generate-encryption-key, which prints a line for .env. If credentials are stored already, set the key that they were sealed with instead.',
      ];
    }
    const check = await this.sealingKey.check();
    return check.isReady || check.reason === undefined ? [] : [check.reason];
  }
}

/** The same configuration with TENANT_CREDENTIALS_ENABLED=true. */
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

/** The warnings cover all stored credentials, including those of providers that the catalogue does not use. */
function expiryWarnings(tenant: Tenant, credentials: TenantCredentials): ExpiryWarning[] {
  return credentials.all().flatMap(({ provider, mask, version, expiresAt }) => {
    const withinDays = expiresWithinDays(expiresAt);
    if (expiresAt === null || withinDays === undefined) return [];
    return [{ tenant, provider, mask, version, expiresAt, withinDays }];
  });
}
