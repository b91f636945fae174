import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, Matches } from 'class-validator';
import { credentialSources } from '#egress';
import { IsSearchText, uuidPattern } from '#http';

/** The fields of a call that its record and the sums of a report have in common. */
export class CallFields {
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
  @ApiProperty({
    nullable: true,
    type: String,
    example: 'BoT0VjF9rQ2',
    description: 'Id of the tenant key; null for the platform key.',
  })
  key_id: string | null;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ example: 'gpt-4o' })
  model: string;
  @ApiProperty({ example: 'chat/completions' })
  operation: string;
  @ApiProperty({ enum: credentialSources, enumName: 'CredentialSource', description: 'Whose key paid.' })
  source: string;
  @ApiProperty({ example: '...xyz9' })
  mask: string;
  @ApiProperty({
    nullable: true,
    type: String,
    example: '3',
    description: 'Version of the credential; null for a global key.',
  })
  version: string | null;
}

/** The filters of reports and series. A class that both queries extended would change the order of their parameters in the OpenAPI document. */
export const filterBy = {
  tenant: applyDecorators(
    Matches(uuidPattern, { message: '$property must be a UUID' }),
    IsOptional(),
    ApiPropertyOptional({
      format: 'uuid',
      description: 'Only calls of this tenant. The tenant may have been deleted.',
    }),
  ),
  provider: textFilter('openai', 'Only calls to this provider.'),
  model: textFilter('gpt-4o', 'Only calls of this model.'),
};

function textFilter(example: string, description: string): PropertyDecorator {
  return applyDecorators(IsSearchText(), IsOptional(), ApiPropertyOptional({ example, description }));
}

/** For a field next to `tenant_id`. */
export const tenantNameDescription = "The tenant's name now; null when the tenant was deleted.";

/** The groups of a report, each with the fields that it adds to the sums. */
const fieldsOfGroup = {
  day: ['day'],
  tenant: ['tenant_id'],
  provider: ['provider'],
  model: ['model'],
  operation: ['operation'],
  key: ['key_id'],
  source: ['source'],
  credential: ['provider', 'mask', 'version'],
} as const satisfies Record<string, readonly ('day' | keyof CallFields)[]>;

export type UsageGroup = keyof typeof fieldsOfGroup;
export type UsageField = (typeof fieldsOfGroup)[UsageGroup][number];
export const usageGroups = Object.keys(fieldsOfGroup) as UsageGroup[];
/** The groups of a report about one tenant. */
export const tenantGroups = usageGroups.filter((group) => group !== 'tenant');

/** The fields of several groups, each once, in the order of the groups. */
export function fieldsOf(groups: readonly UsageGroup[]): UsageField[] {
  return [...new Set(groups.flatMap((group): readonly UsageField[] => fieldsOfGroup[group]))];
}

/** The columns that are summed, named as in usage_daily. */
export const usageCounters = [
  'calls',
  'failed',
  'unfinished',
  'unmetered',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'search_units',
  'request_bytes',
  'response_bytes',
] as const;
