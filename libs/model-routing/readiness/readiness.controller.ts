import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, sysadminPrefix, validated } from '#http';
import { ReadinessPageResponse, ReadinessQuery } from './readiness.dto';
import { ReadinessService } from './readiness.service';

const perPage = 50;

@ApiTags('Readiness')
@Access('sysadmin')
@Controller(`${sysadminPrefix}/readiness`)
export class ReadinessController {
  constructor(private readonly readiness: ReadinessService) {}

  @Get()
  @ApiOperation({
    summary: 'Report which calls would fail',
    description:
      'The report is by tenant (newest first, in pages) and by provider of the catalogue. With `mode=strict` the report says what would break in strict mode, even while single-tenant mode is in force. Tenkey calls no provider and decrypts nothing for this. `npx tenkey readiness --mode strict` makes the same report and exits with 1 when something would break.',
  })
  @ApiOkResponse({ type: ReadinessPageResponse })
  async getReadiness(@Query() text: ReadinessQuery): Promise<ReadinessPageResponse> {
    const { mode, limit = perPage, cursor } = validated(ReadinessQuery, text);
    return ReadinessPageResponse.of(await this.readiness.page(mode === 'strict', { limit, cursor }));
  }
}
