import { Controller, Get, Param, Query, Res, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import {
  Access,
  ApiProblems,
  Grant,
  type SysadminGrant,
  sysadminPrefix,
  tenantsOf,
  validated,
  validTenantId,
} from '#http';
import { tenantParam, TenantsService } from '#tenants';
import { askedUsage } from './asked-usage';
import { UsageResponsesService } from './usage-responses.service';
import { TenantUsageQuery, UsageAnswer, UsageQuery, usageReport } from './usage.dto';
import {
  cursorOf,
  ListUsageRecordsQuery,
  placeOf,
  UsageRecordResponse,
  UsageRecordPageResponse,
} from './usage-records.dto';
import { UsageReportService } from './usage-report.service';

@ApiTags('6 Usage')
@ApiExtraModels(UsageAnswer)
@ApiSecurity('super-api-key')
@Access('sysadmin', 'usage:read', { filtersTenants: true })
@ApiProblems(
  'unauthenticated',
  'forbidden',
  'validation_failed',
  'credential_store_unavailable',
  'internal_error',
)
@Controller(sysadminPrefix)
export class UsageController {
  constructor(
    private readonly answers: UsageResponsesService,
    private readonly report: UsageReportService,
    private readonly tenants: TenantsService,
  ) {}

  @Get('usage')
  @ApiOperation({
    summary: 'What all tenants used',
    description:
      'Calls, tokens and bytes by day, tenant, provider, model, operation, tenant key, source or credential. Written within a second or two of a call’s end. A key that is for some tenants sees theirs. Also of tenants that are deleted.',
  })
  @ApiOkResponse(usageReport)
  async all(
    @Query() text: UsageQuery,
    @Grant() grant: SysadminGrant,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UsageAnswer | StreamableFile> {
    const query = validated(UsageQuery, text);
    const which = { within: tenantsOf(grant), tenantId: query.tenant_id?.toLowerCase() };
    return this.answers.of(askedUsage(query), which, reply);
  }

  @Get('usage/records')
  @ApiOperation({
    summary: 'List calls',
    description:
      'One record for each call that was to be sent, newest first, in pages: whose key, where to, what became of it and what it used. They are kept for USAGE_RETENTION_DAYS; the sums stay.',
  })
  @ApiOkResponse({ type: UsageRecordPageResponse })
  async records(
    @Query() text: ListUsageRecordsQuery,
    @Grant() grant: SysadminGrant,
  ): Promise<UsageRecordPageResponse> {
    const query = validated(ListUsageRecordsQuery, text);
    const limit = query.limit ?? 100;
    const found = await this.report.records({
      within: tenantsOf(grant),
      tenantId: query.tenant_id?.toLowerCase(),
      tenantKeyId: query.key_id,
      since: query.since === undefined ? undefined : new Date(query.since),
      until: query.until === undefined ? undefined : new Date(query.until),
      before: placeOf(query.cursor),
      limit: limit + 1,
    });
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map((record) => UsageRecordResponse.of(record)),
      count: page.length,
      next_cursor: found.length > limit && last ? cursorOf(last) : null,
    };
  }

  @Get('tenants/:tenant_id/usage')
  @Access('sysadmin', 'usage:read')
  @tenantParam
  @ApiOperation({ summary: 'What a tenant used', description: 'As the report of all tenants, of one.' })
  @ApiOkResponse(usageReport)
  @ApiProblems('tenant_not_found')
  async ofTenant(
    @Param('tenant_id') tenantIdText: string,
    @Query() text: TenantUsageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UsageAnswer | StreamableFile> {
    const tenantId = validTenantId(tenantIdText);
    const asked = askedUsage(validated(TenantUsageQuery, text));
    await this.tenants.find(tenantId);
    return this.answers.of(asked, { tenantId }, reply);
  }
}
