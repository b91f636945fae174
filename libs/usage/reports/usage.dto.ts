import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, getSchemaPath, PartialType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateBy } from 'class-validator';
import { IsTime } from '#http';
import {
  CallFields,
  filterBy,
  tenantGroups,
  tenantNameDescription,
  type UsageGroup,
  usageGroups,
} from './call-fields';

/** `group_by`: names of groups, each at most once, separated by commas. */
function GroupBy(groups: readonly UsageGroup[], example: string): PropertyDecorator {
  const names = groups.join(', ');
  const isGroups = (value: unknown) => {
    if (typeof value !== 'string') return false;
    const given = value === '' ? [] : value.split(',');
    return (
      given.length === new Set(given).size && given.every((name) => groups.some((each) => each === name))
    );
  };
  return applyDecorators(
    ApiPropertyOptional({
      default: 'day',
      example,
      description: `What to group by, comma-separated: ${names}. Empty: one sum of everything.`,
    }),
    IsOptional(),
    ValidateBy(
      { name: 'isGroups', validator: { validate: isGroups } },
      { message: `$property must be a comma-separated list of ${names}` },
    ),
  );
}

/** The parameters of every usage report. */
class ReportQuery {
  @ApiPropertyOptional({
    format: 'date',
    example: '2026-01-01',
    description: 'First day, in UTC. By default the report covers 30 days.',
  })
  @IsOptional()
  @IsTime('day')
  since?: string;

  @ApiPropertyOptional({
    format: 'date',
    example: '2026-01-31',
    description: 'Last day, in UTC. The default is today.',
  })
  @IsOptional()
  @IsTime('day')
  until?: string;

  @filterBy.provider
  provider?: string;

  @filterBy.model
  model?: string;

  @ApiPropertyOptional({
    enum: ['json', 'csv'],
    enumName: 'ListFormat',
    default: 'json',
    description: '`csv` contains all rows; `limit` does not apply.',
  })
  @IsOptional()
  @IsIn(['json', 'csv'])
  format?: 'json' | 'csv';

  @ApiPropertyOptional({
    default: 1000,
    minimum: 1,
    maximum: 10000,
    description: 'How many items a page has at most.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(10_000)
  limit?: number;

  @ApiPropertyOptional({
    maxLength: 8192,
    pattern: '^[A-Za-z0-9_-]+$',
    description: '`next_cursor` of the previous page.',
  })
  @IsOptional()
  @Matches(/^[\w-]{1,8192}$/, { message: '$property must be the next_cursor of a page' })
  cursor?: string;
}

/** A report about all tenants. */
export class UsageQuery extends ReportQuery {
  @GroupBy(usageGroups, 'tenant,model')
  group_by?: string;

  @filterBy.tenant
  tenant_id?: string;
}

/** A report about one tenant. */
export class TenantUsageQuery extends ReportQuery {
  @GroupBy(tenantGroups, 'day,model')
  group_by?: string;
}

/** The sums of one group, with only the fields of its groups. */
export class UsageSumsResponse extends PartialType(CallFields) {
  @ApiPropertyOptional({ format: 'date', example: '2026-01-31' })
  day?: string;
  @ApiPropertyOptional({
    nullable: true,
    type: String,
    example: 'sundsvall',
    description: tenantNameDescription,
  })
  tenant_name?: string | null;
  @ApiProperty({ example: 12 })
  calls: number;
  @ApiProperty({ example: 1, description: 'Calls without a response.' })
  failed: number;
  @ApiProperty({
    example: 0,
    description:
      'Calls whose response broke off, or whose client disconnected before its end. Their tokens may be incomplete.',
  })
  unfinished: number;
  @ApiProperty({
    example: 0,
    description: 'Calls in whose response the provider reported neither tokens nor search units.',
  })
  unmetered: number;
  @ApiProperty({
    example: 5300,
    description: 'As reported by the providers, or estimated for clients that disconnected during a stream.',
  })
  input_tokens: number;
  @ApiProperty({ example: 900 })
  output_tokens: number;
  @ApiProperty({ example: 0, description: "The part of the input that was read from the provider's cache." })
  cached_tokens: number;
  @ApiProperty({ example: 0, description: "The part of the input that was written to the provider's cache." })
  cache_write_tokens: number;
  @ApiProperty({ example: 0, description: 'What Cohere charges for reranking.' })
  search_units: number;
  @ApiProperty({ example: 21500, description: "Size of the clients' request bodies." })
  request_bytes: number;
  @ApiProperty({ example: 43000, description: "Size of the providers' responses." })
  response_bytes: number;
}

export class UsageReportResponse {
  @ApiProperty({ format: 'date', example: '2026-01-01' })
  since: string;
  @ApiProperty({ format: 'date', example: '2026-01-31' })
  until: string;
  @ApiProperty({ type: [UsageSumsResponse] })
  items: readonly UsageSumsResponse[];
  @ApiProperty({ example: 1, description: 'Number of items on this page.' })
  count: number;
  @ApiProperty({ type: UsageSumsResponse, description: 'The sum of all pages.' })
  total: UsageSumsResponse;
  @ApiProperty({
    example: 0,
    description:
      'Calls, of any provider and model, that could not be recorded because the database was unavailable or refused them. They are missing in the sums.',
  })
  lost_calls: number;
  @ApiProperty({ nullable: true, type: String, example: null, description: 'Null on the last page.' })
  next_cursor: string | null;
}

/** Carries the lost calls of a CSV report, in which every line is a group so that any parser can read it. */
export const lostCallsHeader = 'x-tenkey-lost-calls';

/** The OpenAPI description of a report's response. */
export const usageReportResponse = {
  description:
    'The sums. With `format=csv` they are CSV whose first line has the names; the number of lost calls is then in a header.',
  headers: {
    [lostCallsHeader]: {
      description:
        'With `format=csv`, the value of `lost_calls`. Unless it is 0, calls are missing from the sums.',
      schema: { type: 'string' as const, example: '0' },
    },
  },
  content: {
    'application/json': { schema: { $ref: getSchemaPath(UsageReportResponse) } },
    'text/csv': { schema: { type: 'string' as const } },
  },
};
