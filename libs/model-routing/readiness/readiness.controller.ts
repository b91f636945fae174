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
      'All tenants and all providers that the catalogue uses, newest tenant first, in pages. `mode=strict` says what would break if strict mode were switched on now, also while it is off. Nothing is called or decrypted. `npm run cli -- readiness --mode strict` tells the same by its exit code.',
  })
  @ApiQuery({
    name: 'mode',
    required: false,
    enum: ['strict'],
    description: 'strict: what would be if strict mode were switched on now. Absent: what is.',
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
    description: '`next_cursor` of the page before.',
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
