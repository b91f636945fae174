import { Get, Query, Req, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, getSchemaPath } from '@nestjs/swagger';
import { type FastifyRequest } from 'fastify';
import { ApiPlatformProblems, PlatformController, Problem, validated } from '#http';
import { TenantsService } from '#tenants';
import { askedUsage } from './asked-usage';
import { UsageAnswers } from './usage-answers';
import { TenantUsageQuery, UsageAnswer } from './usage.dto';

@PlatformController()
@ApiExtraModels(UsageAnswer)
export class OwnUsageController {
  constructor(
    private readonly answers: UsageAnswers,
    private readonly tenants: TenantsService,
  ) {}

  @Get('usage')
  @ApiOperation({
    summary: "What the key's tenant used",
    description:
      'Calls, tokens and bytes of the whole tenant by day, provider, model, operation, tenant key, source or credential. A key that may call some models sees those.',
  })
  @ApiOkResponse({
    description: 'The sums; with `format=csv` as CSV, with a line of names first.',
    content: {
      'application/json': { schema: { $ref: getSchemaPath(UsageAnswer) } },
      'text/csv': { schema: { type: 'string' } },
    },
  })
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
  ): Promise<UsageAnswer | StreamableFile> {
    const { tenantId, allowedModels: models } = request;
    if (tenantId === undefined) throw new Problem('unauthenticated');
    const asked = askedUsage(validated(TenantUsageQuery, text));
    await this.tenants.findActive(tenantId);
    return this.answers.of(asked, { tenantId, models });
  }
}
