import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Length, Matches, MaxLength } from 'class-validator';
import { IsName, IsSearchText, ListQuery, uuidPattern } from '#http';
import { Trimmed } from '#providers';
import { type Tenant, type TenantState } from './tenant.entity';

// No part of it can be read as a second address or as a header. class-validator's IsEmail throws on half a surrogate pair.
const oneAddress = /^[^\s@,;:<>"\p{Cc}\p{Cs}]+@[^\s@,;:<>"\p{Cc}\p{Cs}]+$/u;
const contactField = {
  example: 'it-drift@sundsvall.example',
  format: 'email',
  nullable: true,
  type: String,
  description:
    "Where alerts on this tenant's credentials belong: a function mailbox, not a person. Tenkey writes to nobody; it stands in the warnings of the readiness report and the metrics.",
};

function ContactField(): PropertyDecorator {
  return applyDecorators(
    Matches(oneAddress, { message: '$property must be one e-mail address' }),
    MaxLength(254),
    Trimmed(),
    IsOptional(),
    ApiPropertyOptional(contactField),
  );
}

export class CreateTenantRequest {
  @ApiPropertyOptional({ format: 'uuid', description: "The platform's own id; generated when absent." })
  @IsOptional()
  @Matches(uuidPattern, { message: '$property must be a UUID' })
  id?: string;

  @ApiProperty({ example: 'sundsvall', description: 'Unique short name.' })
  @Trimmed()
  @IsString()
  @Length(1, 200)
  @IsName({ isGiven: true })
  name: string;

  @ApiPropertyOptional({ example: 'Sundsvalls kommun', nullable: true, type: String })
  @IsOptional()
  @IsString()
  @MaxLength(500)
  @IsName()
  display_name?: string | null;

  @ContactField()
  contact_email?: string | null;

  @ApiPropertyOptional({ enum: ['active', 'suspended'], default: 'active' })
  @IsOptional()
  @IsIn(['active', 'suspended'])
  state?: TenantState;
}

export class UpdateTenantRequest {
  @ApiPropertyOptional({ example: 'sundsvall' })
  @IsOptional()
  @Trimmed()
  @IsString()
  @Length(1, 200)
  @IsName({ isGiven: true })
  name?: string;

  @ApiPropertyOptional({ example: 'Sundsvalls kommun', nullable: true, type: String })
  @IsOptional()
  @IsString()
  @MaxLength(500)
  @IsName()
  display_name?: string | null;

  @ContactField()
  contact_email?: string | null;

  @ApiPropertyOptional({
    enum: ['active', 'suspended'],
    description: 'A suspended tenant cannot call models.',
  })
  @IsOptional()
  @IsIn(['active', 'suspended'])
  state?: TenantState;
}

export class ListTenantsQuery extends ListQuery {
  @ApiPropertyOptional({ description: '`next_cursor` of the page before.' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  cursor?: string;

  @ApiPropertyOptional({ description: 'Part of the name or display name, any case.' })
  @IsOptional()
  @IsSearchText()
  search?: string;
}

export class TenantResponse {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  id: string;
  @ApiProperty({ example: 'sundsvall' })
  name: string;
  @ApiProperty({ nullable: true, type: String, example: 'Sundsvalls kommun' })
  display_name: string | null;
  @ApiProperty(contactField)
  contact_email: string | null;
  @ApiProperty({ enum: ['active', 'suspended'] })
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

export class TenantPageResponse {
  @ApiProperty({ type: [TenantResponse] })
  items: TenantResponse[];
  @ApiProperty({ example: 1, description: 'Items on this page.' })
  count: number;
  @ApiProperty({ example: 1, description: 'All tenants that match.' })
  total: number;
  @ApiProperty({ nullable: true, type: String, example: null, description: 'Null on the last page.' })
  next_cursor: string | null;
}
