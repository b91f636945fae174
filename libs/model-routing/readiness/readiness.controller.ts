import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Config, InjectConfig } from '#config';
import { Access, ApiProblems, SysadminGrant, sysadminPrefix, validated } from '#http';
import { ReadinessPageResponse, ReadinessQuery } from './readiness.dto';
import { ReadinessService } from './readiness.service';

@ApiTags('Readiness')
@Access('sysadmin', 'readiness:read', { filtersTenants: true })
@Controller(`${sysadminPrefix}/readiness`)
export class ReadinessController {
  constructor(
    @InjectConfig() private readonly config: Config,
    private readonly readiness: ReadinessService,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Report which calls would fail',
    description:
      'The report is by tenant (newest first, in pages) and by provider of the catalogue. With `mode=strict` the report says what would break in strict mode, even while single-tenant mode is in force. `only`, `provider` and `tenant` make it short: for many tenants, the whole report has several megabytes. With `only`, a page may be short, or empty, although others follow. A key that is limited to some tenants sees only theirs. Tenkey calls no provider and decrypts nothing for this. `npx tenkey readiness --mode strict` makes the same report and exits with 1 when something would break.',
  })
  @ApiOkResponse({ type: ReadinessPageResponse })
  @ApiProblems('tenant_not_found')
  async getReadiness(
    @Query() text: ReadinessQuery,
    @SysadminGrant() grant: SysadminGrant,
  ): Promise<ReadinessPageResponse> {
    const { mode, ...filter } = validated(ReadinessQuery, text);
    return ReadinessPageResponse.of(
      await this.readiness.page(mode === 'strict', filter, grant.tenantIds ?? undefined),
      this.config.publicUrl,
    );
  }
}
