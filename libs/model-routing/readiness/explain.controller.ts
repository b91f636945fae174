import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Config, InjectConfig } from '#config';
import { Access, tenantPath, validTenantId } from '#http';
import { tenantParam } from '#tenants';
import { ExplainedModelResponse, ExplainedModelsResponse } from './explain.dto';
import { ExplainService } from './explain.service';

@ApiTags('Readiness')
@Access('sysadmin', 'credentials:read')
@Controller(`${tenantPath(':tenant_id')}/models`)
export class ExplainController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly explain: ExplainService,
  ) {}

  @Get()
  @ApiOperation({
    summary: "Explain what would happen to a tenant's calls",
    description:
      'For each model: its adapter, provider, deployment and host, whose key pays, and whether it is ready. A model that is not ready comes with the problem that a call would meet, and the exact fix. Tenkey calls no provider, decrypts nothing and resolves no host name for this. It works in both modes.',
  })
  @tenantParam
  @ApiOkResponse({ type: ExplainedModelsResponse })
  async explainModels(@Param('tenant_id') tenantIdText: string): Promise<ExplainedModelsResponse> {
    const { tenant, models } = await this.explain.models(validTenantId(tenantIdText));
    return {
      tenant_id: tenant.id,
      tenant_state: tenant.state,
      mode: this.config.mode,
      models: models.map((each) => ExplainedModelResponse.of(each, this.config.publicUrl)),
    };
  }
}
