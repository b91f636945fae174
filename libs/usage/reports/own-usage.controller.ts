import { Get, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { ApiPlatformProblems, PlatformController, validated } from '#http';
import { TenantsService } from '#tenants';
import { askedUsage } from './asked-usage';
import { UsageResponsesService } from './usage-responses.service';
import { TenantUsageQuery, UsageAnswer, usageReport } from './usage.dto';

@PlatformController()
@ApiExtraModels(UsageAnswer)
export class OwnUsageController {
  constructor(
    private readonly answers: UsageResponsesService,
    private readonly tenants: TenantsService,
  ) {}

  @Get('usage')
  @ApiOperation({
    summary: "What the key's tenant used",
    description:
      'Calls, tokens and bytes of the whole tenant by day, provider, model, operation, tenant key, source or credential. A key that may call some models sees those.',
  })
  @ApiOkResponse(usageReport)
  @ApiPlatformProblems(
    '/v1/usage',
    'unauthenticated',
    'forbidden',
    'rate_limited',
    'malformed_request',
    'validation_failed',
    'tenant_not_found',
    'tenant_suspended',
    'credential_store_unavailable',
    'internal_error',
  )
  async own(
    @Req() request: FastifyRequest,
    @Query() text: TenantUsageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UsageAnswer | StreamableFile> {
    const { allowedModels: models } = request.tenkey;
    const tenantId = request.tenkey.requireTenantId();
    const asked = askedUsage(validated(TenantUsageQuery, text));
    await this.tenants.findActive(tenantId);
    return this.answers.of(asked, { tenantId, models }, reply);
  }
}
