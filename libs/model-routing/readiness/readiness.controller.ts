import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiQuery, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { Access, ApiProblems, sysadminPrefix, validated } from '#http';
import { ReadinessPageResponse, ReadinessQuery } from './readiness.dto';
import { ReadinessService } from './readiness.service';

const perPage = 50;

@ApiTags('5 Readiness')
@ApiSecurity('super-api-key')
@Access('sysadmin')
@Controller(`${sysadminPrefix}/readiness`)
export class ReadinessController {
  constructor(private readonly readiness: ReadinessService) {}

  @Get()
  @ApiOperation({
    summary: 'Whose calls would fail, by tenant and provider',
    description:
      'All tenants, newest first and in pages, and all providers that the catalogue uses. With `mode=strict` the report says what would break in strict mode, even while single-tenant mode is in force. Tenkey calls nothing and decrypts nothing for this. `npm run cli -- readiness --mode strict` makes the same report and exits with 1 when something would break.',
  })
  @ApiQuery({
    name: 'mode',
    required: false,
    enum: ['strict'],
    description: 'The mode that the report is about; by default the one in force.',
  })
  @ApiQuery({
    name: 'limit',
    required: false,
    schema: { type: 'integer', default: perPage, minimum: 1, maximum: 200 },
  })
  @ApiQuery({
    name: 'cursor',
    required: false,
    type: String,
    description: '`next_cursor` of the previous page.',
  })
  @ApiOkResponse({ type: ReadinessPageResponse })
  @ApiProblems(
    'unauthenticated',
    'forbidden',
    'validation_failed',
    'credential_store_unavailable',
    'internal_error',
  )
  async report(@Query() query: unknown): Promise<ReadinessPageResponse> {
    const { mode, limit = perPage, cursor } = validated(ReadinessQuery, query);
    return ReadinessPageResponse.of(await this.readiness.page(mode === 'strict', { limit, cursor }));
  }
}
