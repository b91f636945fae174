import { Controller, Get, Param, Query, Res, type StreamableFile } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type FastifyReply } from 'fastify';
import { Access, SysadminGrant, sysadminPrefix, validated, validTenantId } from '#http';
import { tenantParam, TenantsService } from '#tenants';
import { parseReportQuery } from './report-parameters';
import { parseSeriesRange } from './series-parameters';
import { UsageResponsesService } from './usage-responses.service';
import { TenantUsageQuery, UsageReportResponse, UsageQuery, usageReportResponse } from './usage.dto';
import {
  encodeRecordCursor,
  ListUsageRecordsQuery,
  decodeRecordCursor,
  UsageRecordPageResponse,
} from './usage-records.dto';
import { UsageReportService } from './usage-report.service';
import { UsageSeriesQuery, UsageSeriesReportResponse } from './usage-series.dto';
import { UsageSeriesService } from './usage-series.service';

@ApiTags('Usage')
@ApiExtraModels(UsageReportResponse)
@Access('sysadmin', 'usage:read', { filtersTenants: true })
@Controller(sysadminPrefix)
export class UsageController {
  constructor(
    private readonly responses: UsageResponsesService,
    private readonly report: UsageReportService,
    private readonly series: UsageSeriesService,
    private readonly tenants: TenantsService,
  ) {}

  @Get('usage')
  @ApiOperation({
    summary: 'Report the usage of all tenants',
    description:
      'Calls, tokens and bytes by day, tenant, provider, model, operation, tenant key, source or credential. A call is included within a second or two after it finishes. A key that is limited to some tenants sees only theirs. Deleted tenants are included.',
  })
  @ApiOkResponse(usageReportResponse)
  async getUsage(
    @Query() rawQuery: UsageQuery,
    @SysadminGrant() grant: SysadminGrant,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UsageReportResponse | StreamableFile> {
    const query = validated(UsageQuery, rawQuery);
    const calls = { within: grant.tenantIds ?? undefined, tenantId: query.tenant_id?.toLowerCase() };
    return this.responses.of(parseReportQuery(query), calls, reply);
  }

  @Get('usage/series')
  @ApiOperation({
    summary: 'Get the usage of each hour or day for plots',
    description:
      'Calls, tokens and durations by provider, tenant or model, as columns with a number for each hour or day; without calls it is 0, and null for a duration. The current hour or day is included, and is not complete. A key that is limited to some tenants sees only theirs. Deleted tenants are included.',
  })
  @ApiOkResponse({ type: UsageSeriesReportResponse })
  async getUsageSeries(
    @Query() rawQuery: UsageSeriesQuery,
    @SysadminGrant() grant: SysadminGrant,
  ): Promise<UsageSeriesReportResponse> {
    const query = validated(UsageSeriesQuery, rawQuery);
    return this.series.read(parseSeriesRange(query), {
      within: grant.tenantIds ?? undefined,
      tenantId: query.tenant_id?.toLowerCase(),
      provider: query.provider,
      model: query.model,
      by: query.by ?? 'provider',
      top: query.top ?? 8,
    });
  }

  @Get('usage/records')
  @ApiOperation({
    summary: 'List the records of calls',
    description:
      'Newest first, in pages. Each record says whose key was used, where the call was sent, its outcome and its usage. A call that was refused before its route was decided has none. Records are kept for USAGE_RETENTION_DAYS; the sums of the reports stay.',
  })
  @ApiOkResponse({ type: UsageRecordPageResponse })
  async listUsageRecords(
    @Query() rawQuery: ListUsageRecordsQuery,
    @SysadminGrant() grant: SysadminGrant,
  ): Promise<UsageRecordPageResponse> {
    const query = validated(ListUsageRecordsQuery, rawQuery);
    const limit = query.limit ?? 100;
    const records = await this.report.records({
      within: grant.tenantIds ?? undefined,
      tenantId: query.tenant_id?.toLowerCase(),
      tenantKeyId: query.key_id,
      requestId: query.request_id,
      since: query.since === undefined ? undefined : new Date(query.since),
      until: query.until === undefined ? undefined : new Date(query.until),
      before: decodeRecordCursor(query.cursor),
      limit: limit + 1,
    });
    const page = records.slice(0, limit);
    const last = page.at(-1);
    return {
      items: await this.responses.records(page),
      count: page.length,
      next_cursor: records.length > limit && last ? encodeRecordCursor(last) : null,
    };
  }

  @Get('tenants/:tenant_id/usage')
  @Access('sysadmin', 'usage:read')
  @tenantParam
  @ApiOperation({
    summary: 'Report the usage of a tenant',
    description: 'The same report as for all tenants, for one of them.',
  })
  @ApiOkResponse(usageReportResponse)
  async getTenantUsage(
    @Param('tenant_id') tenantIdText: string,
    @Query() rawQuery: TenantUsageQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<UsageReportResponse | StreamableFile> {
    const tenantId = validTenantId(tenantIdText);
    const parameters = parseReportQuery(validated(TenantUsageQuery, rawQuery));
    await this.tenants.find(tenantId);
    return this.responses.of(parameters, { tenantId }, reply);
  }
}
