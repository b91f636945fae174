import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { CredentialSlotsService, CredentialsService } from '#credentials';
import { AddressPolicy } from '#egress';
import { type Tenant, TenantsService, tenantSuspended } from '#tenants';
import { LegacyAdapter } from '../adapters/legacy.adapter';
import { LitellmAdapter } from '../adapters/litellm.adapter';
import {
  expectedProblem,
  explainModel,
  type ModelExplanation,
  sharedDeploymentWarnings,
} from './explain-model';
import { type Model } from '../catalogue/model';
import { ModelCatalogue } from '../catalogue/model-catalogue';

/** Explains to the sysadmin what would happen to a tenant's calls. It uses the adapters of calls, so that both agree. */
@Injectable()
export class ExplainService {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly tenants: TenantsService,
    private readonly catalogue: ModelCatalogue,
    private readonly credentials: CredentialsService,
    private readonly slots: CredentialSlotsService,
    private readonly policy: AddressPolicy,
  ) {}

  /**
   * Explains every model of the catalogue, in its order. Makes one query for the tenant and two for its credentials.
   * @throws Problem tenant_not_found
   */
  async models(tenantId: string): Promise<{ tenant: Tenant; models: ModelExplanation[] }> {
    const tenant = await this.tenants.find(tenantId);
    const stored = await this.slots.ofTenant(tenantId);
    const adapters = adaptersFor(this.config, this.credentials);
    const models = await Promise.all(
      this.catalogue.all().map(async (model) => {
        const explanation = await explainModel(
          tenant,
          model,
          model.litellm_model_name ? adapters.litellm : adapters.legacy,
          stored.live,
          this.policy,
        );
        const { adapter, provider } = explanation;
        const isPaidByTenant = this.config.tenantCredentialsEnabled && adapter === 'litellm';
        return {
          ...explanation,
          ...(isPaidByTenant && provider && { inactiveSlots: stored.inactive(provider.id) }),
          ...(tenant.state === 'suspended' && { problem: expectedProblem(tenantSuspended(tenantId)) }),
        };
      }),
    );
    const shared = sharedDeploymentWarnings(models);
    const warningsOf = (model: Model) =>
      shared.filter((each) => each.models.includes(model)).map(({ warning }) => warning);
    return { tenant, models: models.map((each) => ({ ...each, warnings: warningsOf(each.model) })) };
  }
}

/** The adapters of calls, for a configuration that need not be the one in force. */
export function adaptersFor(config: Config, credentials: CredentialsService) {
  return { litellm: new LitellmAdapter(config, credentials), legacy: new LegacyAdapter(config) };
}
