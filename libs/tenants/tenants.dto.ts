import { applyDecorators } from '@nestjs/common';
import { ApiParam, ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  Length,
  Matches,
  MaxLength,
  ValidateIf,
} from 'class-validator';
import { IsName, IsSearchText, ListQuery, PageResponse, Problem, uuidPattern } from '#http';
import { type ProviderRegistry, Trimmed } from '#providers';
import { type Tenant, type TenantState, tenantStates } from './tenant.entity';

/** Documents the tenant in the path of a route. */
export const tenantParam = ApiParam({
  name: 'tenant_id',
  format: 'uuid',
  description: "The tenant's `id`.",
});

// One address: nothing in it can be read as a second address or as a header. class-validator's IsEmail throws on half a
// surrogate pair.
const emailAddress = /^[^\s@,;:<>"\p{Cc}\p{Cs}]+@[^\s@,;:<>"\p{Cc}\p{Cs}]+$/u;
const displayNameProperty = { example: 'Sundsvalls kommun', nullable: true, type: String };
const contactProperty = {
  example: 'it-drift@sundsvall.example',
  nullable: true,
  type: String,
  description:
    "Where to send alerts about this tenant's credentials: a shared mailbox, not a person's. Tenkey sends no mail; the address is in the warnings of the readiness report and in the metrics.",
};

// The decorators of one field each. They apply in the order of these lists, so the last rule of a field comes first.

const IsTenantName = applyDecorators(
  IsName({ isGiven: true }),
  Length(1, 200),
  IsString(),
  Trimmed(),
  ApiProperty({ minLength: 1, maxLength: 200 }),
);

const DisplayNameField = applyDecorators(
  IsName(),
  MaxLength(500),
  IsString(),
  IsOptional(),
  ApiPropertyOptional({ ...displayNameProperty, maxLength: 500 }),
);

const ContactField = applyDecorators(
  Matches(emailAddress, { message: '$property must be one e-mail address' }),
  MaxLength(254),
  Trimmed(),
  IsOptional(),
  ApiPropertyOptional({
    ...contactProperty,
    maxLength: 254,
    pattern: '^\\s*[^\\s@,;:<>"]+@[^\\s@,;:<>"]+\\s*$',
  }),
);

const expectedProvidersProperty = {
  type: 'array',
  items: { type: 'string' },
  nullable: true,
  example: ['openai', 'azure'],
} as const;

const ExpectedProvidersField = applyDecorators(
  MaxLength(40, { each: true }),
  IsString({ each: true }),
  ArrayUnique(),
  ArrayMaxSize(100),
  IsArray(),
  IsOptional(),
  ApiPropertyOptional({
    ...expectedProvidersProperty,
    maxItems: 100,
    uniqueItems: true,
    description:
      'The providers that the tenant should have a credential for. The readiness report names the missing ones. Null: the providers that it has a credential for.',
  }),
);

/** Null is a value, which these fields cannot have, and not the same as absent. */
const IsAbsentOr = ValidateIf((_, value) => value !== undefined);
const IsOptionalState = applyDecorators(IsIn(tenantStates), IsAbsentOr);

export class CreateTenantRequest {
  @ApiPropertyOptional({
    format: 'uuid',
    nullable: true,
    type: String,
    description: 'The id that the platform uses for the tenant. Absent: Tenkey chooses one.',
  })
  @IsOptional()
  @Matches(uuidPattern, { message: '$property must be a UUID' })
  id?: string | null;

  @ApiProperty({ example: 'sundsvall', description: 'Unique short name.' })
  @IsTenantName
  name: string;

  @DisplayNameField
  display_name?: string | null;

  @ContactField
  contact_email?: string | null;

  @ApiPropertyOptional({
    enum: tenantStates,
    enumName: 'TenantState',
    description: 'Absent: active. A suspended tenant cannot call models.',
  })
  @IsOptionalState
  state?: TenantState;

  @ExpectedProvidersField
  expected_providers?: string[] | null;
}

export class SetTenantRequest extends OmitType(CreateTenantRequest, ['id']) {}

export class UpdateTenantRequest {
  @ApiPropertyOptional({ example: 'sundsvall' })
  @IsAbsentOr
  @IsTenantName
  name?: string;

  @DisplayNameField
  display_name?: string | null;

  @ContactField
  contact_email?: string | null;

  @ApiPropertyOptional({
    enum: tenantStates,
    enumName: 'TenantState',
    description: 'A suspended tenant cannot call models.',
  })
  @IsOptionalState
  state?: TenantState;

  @ExpectedProvidersField
  expected_providers?: string[] | null;
}

/** @throws Problem that does not repeat an id that is not known */
export function refuseUnknownProviders(
  providers: ProviderRegistry,
  { expected_providers: ids }: Pick<UpdateTenantRequest, 'expected_providers'>,
): void {
  if (ids?.every((id) => providers.find(id) !== undefined) ?? true) return;
  const known = providers.all.map(({ id }) => id).join(', ');
  const message = `expected_providers must each be one of ${known}`;
  throw new Problem('validation_failed', {
    detail: 'Some fields are not valid; see errors.',
    errors: [{ path: 'expected_providers', message }],
  });
}

export class ListTenantsQuery extends ListQuery {
  @ApiPropertyOptional({ maxLength: 200, description: '`next_cursor` of the previous page.' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  cursor?: string;

  @ApiPropertyOptional({
    description: 'Only tenants whose name or display name contains this text, in upper or lower case.',
  })
  @IsOptional()
  @IsSearchText()
  search?: string;
}

export class TenantResponse {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  id: string;
  @ApiProperty({ example: 'sundsvall' })
  name: string;
  @ApiProperty(displayNameProperty)
  display_name: string | null;
  @ApiProperty(contactProperty)
  contact_email: string | null;
  @ApiProperty({ enum: tenantStates, enumName: 'TenantState' })
  state: TenantState;
  @ApiProperty({
    ...expectedProvidersProperty,
    description: 'Null: the providers that it has a credential for.',
  })
  expected_providers: readonly string[] | null;
  @ApiProperty({ format: 'date-time' })
  created_at: string;
  @ApiProperty({ format: 'date-time' })
  updated_at: string;

  static of(tenant: Tenant): TenantResponse {
    return {
      id: tenant.id,
      name: tenant.name,
      display_name: tenant.displayName,
      contact_email: tenant.contactEmail,
      state: tenant.state,
      expected_providers: tenant.expectedProviders,
      created_at: tenant.createdAt.toISOString(),
      updated_at: tenant.updatedAt.toISOString(),
    };
  }
}

export class TenantPageResponse extends PageResponse {
  @ApiProperty({ type: [TenantResponse] })
  items: TenantResponse[];
  @ApiProperty({ example: 1, description: 'All tenants that match.' })
  total: number;
}
