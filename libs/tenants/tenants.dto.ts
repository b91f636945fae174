import { applyDecorators } from '@nestjs/common';
import { ApiParam, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Length, Matches, MaxLength, ValidateIf } from 'class-validator';
import { IsName, IsSearchText, ListQuery, PageResponse, uuidPattern } from '#http';
import { Trimmed } from '#providers';
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
}

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
