import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { CredentialsService, SealingKeyService, type TenantCredentials } from '#credentials';
import { AddressPolicy } from '#egress';
import { Problem, sysadminPrefix, uuidPattern } from '#http';
import { type Provider } from '#providers';
import { type Tenant, TenantsService } from '#tenants';
import { adaptersFor } from './explain.service';
import { explainModel, sharedDeploymentWarnings } from './explain-model';
import {
  expiryWarnings,
  type ExpiryWarning,
  partOf,
  type ReadinessCell,
  type ReadinessFilter,
  type ReadinessPage,
  type TenantReadiness,
} from './readiness-report';
import { type Model, providerOfModel } from '../catalogue/model';
import { ModelCatalogue } from '../catalogue/model-catalogue';

const PAGE = 50;
/** How many tenants one request looks at, to find the few that `only` asks for. */
const MAXIMUM_LOOKED_AT = 1000;

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

  /**
   * @param strict whether to report about strict mode; else the report is about the mode in force
   * @param within the ids of the tenants that the report may be about; absent: all
   * @throws Problem tenant_not_found, validation_failed
   */
  async page(
    strict: boolean,
    filter: ReadinessFilter = {},
    within?: readonly string[],
  ): Promise<ReadinessPage> {
    const { config } = this;
    const reportedConfig = strict ? strictVersion(config) : config;
    const columns = this.columns(filter.provider);
    const { limit = PAGE } = filter;
    const tenants = filter.tenant === undefined ? within : [await this.tenantId(filter.tenant, within)];
    const rows: TenantReadiness[] = [];
    const warnings: ExpiryWarning[] = [];
    let { cursor } = filter;
    let nextCursor: string | null = null;
    let total = 0;
    let lookedAt = 0;
    do {
      const page = await this.tenants.list({ limit: limit - rows.length, cursor }, tenants);
      const overview = await this.credentials.overview(page.items.map(({ id }) => id));
      for (const tenant of page.items) {
        const credentials = overview.get(tenant.id);
        if (!credentials) continue;
        const row = await this.row(tenant, columns, credentials, reportedConfig);
        const found = partOf(row, expiryWarnings(tenant, credentials), filter);
        if (found !== undefined) {
          rows.push(found.row);
          warnings.push(...found.warnings);
        }
        // Let other requests run between two tenants.
        await nextTurn();
      }
      ({ total, nextCursor } = page);
      cursor = nextCursor ?? undefined;
      lookedAt += page.items.length;
    } while (nextCursor !== null && rows.length < limit && lookedAt < MAXIMUM_LOOKED_AT);
    return {
      currentMode: config.mode,
      mode: reportedConfig.mode,
      hasReceipts: config.encryptionKeys.current !== undefined,
      blockers: await this.blockers(reportedConfig),
      columns,
      rows,
      warnings,
      total,
      nextCursor,
    };
  }

  /** The providers that the catalogue uses, or the one of them with this id. */
  private columns(providerId: string | undefined): ReadonlyMap<Provider, readonly Model[]> {
    const columns = columnsOf(this.catalogue.all());
    if (providerId === undefined) return columns;
    if (this.catalogue.providers.find(providerId) === undefined) {
      const known = this.catalogue.providers.all.map(({ id }) => id).join(', ');
      throw new Problem('validation_failed', {
        detail: 'There is no such provider.',
        errors: [{ path: 'provider', message: `provider must be one of ${known}` }],
      });
    }
    return new Map([...columns].filter(([{ id }]) => id === providerId));
  }

  private async tenantId(idOrName: string, within: readonly string[] | undefined): Promise<string> {
    const ids = uuidPattern.test(idOrName) ? [idOrName.toLowerCase()] : [];
    const found = await this.tenants.findAll(ids, [idOrName]);
    const tenant = found.find(({ id }) => ids.includes(id)) ?? found[0];
    if (tenant === undefined || within?.includes(tenant.id) === false) {
      throw new Problem('tenant_not_found', {
        hint: `Name a tenant by its id or its exact name; GET ${sysadminPrefix}/tenants lists them.`,
      });
    }
    return tenant.id;
  }

  private async row(
    tenant: Tenant,
    columns: ReadonlyMap<Provider, readonly Model[]>,
    credentials: TenantCredentials,
    reportedConfig: Config,
  ): Promise<TenantReadiness> {
    const cells: ReadinessCell[] = [];
    for (const [provider, models] of columns) {
      cells.push(await this.cell(tenant, provider, models, credentials, reportedConfig));
    }
    return { tenant, cells };
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
        explainModel(tenant, model, model.litellm_model_name ? litellm : legacy, credentials, this.policy),
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
