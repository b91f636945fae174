import { Get, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { ApiProblems, PlatformController, validated } from '#http';
import { TenantsService } from '#tenants';
import { parseReportQuery } from './report-parameters';
import { UsageResponsesService } from './usage-responses.service';
import { TenantUsageQuery, UsageReportResponse, usageReportResponse } from './usage.dto';

@PlatformController()
@ApiExtraModels(UsageReportResponse)
export class PlatformUsageController {
  constructor(
    private readonly responses: UsageResponsesService,
    private readonly tenants: TenantsService,
  ) {}

  @Get('usage')
  @ApiOperation({
    summary: "Report the usage of the key's tenant",
    description:
      'Calls, tokens and bytes of the whole tenant by day, provider, model, operation, tenant key, source or credential. A key that is limited to some models sees only those.',
  })
  @ApiOkResponse(usageReportResponse)
  @ApiProblems('validation_failed')
  async getOwnUsage(
    @Req() request: FastifyRequest,
    @Query() rawQuery: TenantUsageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UsageReportResponse | StreamableFile> {
    const { allowedModels: models } = request.tenkey.grant;
    const tenantId = request.tenkey.requireTenantId();
    const parameters = parseReportQuery(validated(TenantUsageQuery, rawQuery));
    await this.tenants.findActive(tenantId);
    return this.responses.of(parameters, { tenantId, models }, reply);
  }
}
