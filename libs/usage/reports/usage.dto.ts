import { ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateBy } from 'class-validator';
import { IsTime, uuidPattern } from '#http';
import { type UsageGroup, usageGroups } from './usage-report.service';

/** Names of groups, each once, with commas between them. */
function IsGroups(groups: readonly UsageGroup[]): PropertyDecorator {
  const isGroups = (value: unknown) => {
    if (typeof value !== 'string') return false;
    const names = value.split(',');
    return (
      names.length === new Set(names).size && names.every((name) => groups.some((each) => each === name))
    );
  };
  return ValidateBy(
    { name: 'isGroups', validator: { validate: (value: unknown) => value === '' || isGroups(value) } },
    { message: `$property must be names with commas between them, of ${groups.join(', ')}` },
  );
}

const groupText = (groups: readonly UsageGroup[]) =>
  `What to sum by, with commas: ${groups.join(', ')}. Empty: one sum of all.`;

/** What every usage report may be asked. */
class Period {
  @ApiPropertyOptional({
    format: 'date',
    example: '2026-01-01',
    description: 'First day, UTC. Absent: 30 days in all.',
  })
  @IsOptional()
  @IsTime('day')
  since?: string;

  @ApiPropertyOptional({
    format: 'date',
    example: '2026-01-31',
    description: 'Last day, UTC. Absent: today.',
  })
  @IsOptional()
  @IsTime('day')
  until?: string;

  @ApiPropertyOptional({
    enum: ['json', 'csv'],
    default: 'json',
    description: 'csv: all rows, `limit` does not apply.',
  })
  @IsOptional()
  @IsIn(['json', 'csv'])
  format?: 'json' | 'csv';

  @ApiPropertyOptional({ default: 1000, minimum: 1, maximum: 10000 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(10_000)
  limit?: number;

  @ApiPropertyOptional({ description: '`next_cursor` of the page before.' })
  @IsOptional()
  @Matches(/^[\w-]{1,8192}$/, { message: '$property must be the next_cursor of a page' })
  cursor?: string;
}

/** Of all tenants. */
export class UsageQuery extends Period {
  @ApiPropertyOptional({ default: 'day', example: 'tenant,model', description: groupText(usageGroups) })
  @IsOptional()
  @IsGroups(usageGroups)
  group_by?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Only calls of this tenant, which may be deleted.' })
  @IsOptional()
  @Matches(uuidPattern, { message: '$property must be a UUID' })
  tenant_id?: string;
}

export const tenantGroups = usageGroups.filter((group) => group !== 'tenant');

/** Of one tenant. */
export class TenantUsageQuery extends Period {
  @ApiPropertyOptional({ default: 'day', example: 'day,model', description: groupText(tenantGroups) })
  @IsOptional()
  @IsGroups(tenantGroups)
  group_by?: string;
}

export class UsageSumsResponse {
  @ApiPropertyOptional({ format: 'date', example: '2026-01-31' })
  day?: string;
  @ApiPropertyOptional({ format: 'uuid' })
  tenant_id?: string;
  @ApiPropertyOptional({ example: 'openai' })
  provider?: string;
  @ApiPropertyOptional({ example: 'gpt-4o' })
  model?: string;
  @ApiPropertyOptional({ example: 'chat/completions' })
  operation?: string;
  @ApiPropertyOptional({
    example: 'BoT0VjF9rQ2',
    nullable: true,
    type: String,
    description: 'Id of the tenant key; null: the platform key.',
  })
  key_id?: string | null;
  @ApiPropertyOptional({ enum: ['tenant', 'global'], description: 'Whose key paid.' })
  source?: string;
  @ApiPropertyOptional({ example: '...xyz9' })
  mask?: string;
  @ApiPropertyOptional({
    example: '3',
    nullable: true,
    type: String,
    description: 'Of the credential; null: a global key.',
  })
  version?: string | null;
  @ApiProperty({ example: 12 })
  calls: number;
  @ApiProperty({ example: 1, description: 'Of these, those that got no answer.' })
  failed: number;
  @ApiProperty({
    example: 0,
    description: 'Of these, those whose answer broke off or whose client left. Their tokens may be too few.',
  })
  unfinished: number;
  @ApiProperty({
    example: 0,
    description: 'Of these, those with an answer of the provider in which it reported no tokens.',
  })
  unmetered: number;
  @ApiProperty({ example: 5300, description: 'As the providers reported.' })
  input_tokens: number;
  @ApiProperty({ example: 900 })
  output_tokens: number;
  @ApiProperty({ example: 0, description: "Of the input, those read from the provider's cache." })
  cached_tokens: number;
  @ApiProperty({ example: 21500, description: "Of clients' request bodies." })
  request_bytes: number;
  @ApiProperty({ example: 43000, description: "Of providers' answers." })
  response_bytes: number;
}

export class UsageAnswer {
  @ApiProperty({ format: 'date', example: '2026-01-01' })
  since: string;
  @ApiProperty({ format: 'date', example: '2026-01-31' })
  until: string;
  @ApiProperty({ type: [UsageSumsResponse] })
  items: readonly UsageSumsResponse[];
  @ApiProperty({ example: 1, description: 'Items on this page.' })
  count: number;
  @ApiProperty({ type: UsageSumsResponse, description: 'The sum of all pages.' })
  total: UsageSumsResponse;
  @ApiProperty({
    example: 0,
    description:
      'Calls of any model that could not be recorded, while the database was away or since it refused them; the sums lack them.',
  })
  lost_calls: number;
  @ApiProperty({ nullable: true, type: String, example: null, description: 'Null on the last page.' })
  next_cursor: string | null;
}

/** Of a report as CSV, which has no line for it: every line is a group, so that any parser reads them. */
export const lostCallsHeader = 'x-tenkey-lost-calls';

/** The documented answer of a route that reports. */
export const usageReport = {
  description:
    'The sums; with `format=csv` as CSV, with a line of names first. A CSV has no `lost_calls`: that number is in a header.',
  headers: {
    [lostCallsHeader]: {
      description: 'With `format=csv`: what `lost_calls` is in JSON. Unless it is 0, the sums lack calls.',
      schema: { type: 'string' as const, example: '0' },
    },
  },
  content: {
    'application/json': { schema: { $ref: getSchemaPath(UsageAnswer) } },
    'text/csv': { schema: { type: 'string' as const } },
  },
};
