import { Injectable } from '@nestjs/common';
import { type Config, InjectConfig } from '#config';
import { CredentialSlotsService, CredentialsService, type InactiveCredentials } from '#credentials';
import { AddressPolicy } from '#egress';
import { tenantPath } from '#http';
import { type Tenant, TenantsService } from '#tenants';
import { LegacyAdapter } from '../adapters/legacy.adapter';
import { LitellmAdapter } from '../adapters/litellm.adapter';
import { explain, type Explanation } from './explanation';
import { ModelCatalogue } from '../catalogue/model-catalogue';

/** With what stands beside the tenant's own credential, where such a call asks for one. */
export interface ExplainedModel extends Explanation {
  readonly inactive?: InactiveCredentials;
}

/** Tells the sysadmin before a call what would become of it. By the adapters of the calls, so that both agree. */
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

  /** Every model of the catalogue, in its order. One query for the tenant, two for its credentials; nothing is opened. */
  async models(tenantId: string): Promise<{ tenant: Tenant; models: ExplainedModel[] }> {
    const tenant = await this.tenants.find(tenantId);
    const stored = await this.slots.ofTenant(tenantId);
    const adapters = adaptersFor(this.config, this.credentials);
    const models = await Promise.all(
      this.catalogue.all().map(async (model) => {
        const found = await explain(
          tenantId,
          model,
          model.litellm_model_name ? adapters.litellm : adapters.legacy,
          stored.live,
          this.policy,
        );
        const isOwn = this.config.tenantCredentialsEnabled && found.adapter === 'litellm';
        return {
          ...found,
          ...(isOwn && found.provider && { inactive: stored.inactive(found.provider.id) }),
          ...(tenant.state === 'suspended' && { obstacle: suspended(tenantId) }),
        };
      }),
    );
    return { tenant, models };
  }
}

/** The adapters of calls, under a configuration that may be another than the one in force. */
export function adaptersFor(config: Config, credentials: CredentialsService) {
  return { litellm: new LitellmAdapter(config, credentials), legacy: new LegacyAdapter(config) };
}

function suspended(tenantId: string): NonNullable<Explanation['obstacle']> {
  return {
    code: 'tenant_suspended',
    detail: 'This tenant is suspended; its calls are refused.',
    hint: `PATCH ${tenantPath(tenantId)} with {"state":"active"} lets it call again.`,
  };
}
