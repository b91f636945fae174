import { ApiParam, ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { IsSearchText, ListQuery, PageResponse, Problem, uuidPattern } from '#http';
import { type ProviderRegistry } from '#providers';
import { type Tenant, type TenantState, tenantStates } from './tenant.entity';
import {
  AllowedHostingField,
  allowedHostingProperty,
  AllowedProvidersField,
  allowedProvidersProperty,
  ContactField,
  contactProperty,
  DisplayNameField,
  displayNameProperty,
  EgressAllowField,
  egressAllowProperty,
  ExpectedProvidersField,
  expectedProvidersProperty,
  IsAbsentOr,
  IsOptionalState,
  IsTenantName,
} from './tenant-fields';

/** Documents the tenant in the path of a route. */
export const tenantParam = ApiParam({
  name: 'tenant_id',
  format: 'uuid',
  description: "The tenant's `id`.",
});

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

  @AllowedHostingField
  allowed_hosting?: string[] | null;

  @AllowedProvidersField
  allowed_providers?: string[] | null;

  @EgressAllowField
  egress_allow?: string[] | null;
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

  @AllowedHostingField
  allowed_hosting?: string[] | null;

  @AllowedProvidersField
  allowed_providers?: string[] | null;

  @EgressAllowField
  egress_allow?: string[] | null;
}

/** The fields of a tenant that name providers. */
export const fieldsOfProviders = ['expected_providers', 'allowed_providers'] as const;

/** @throws Problem that does not repeat an id that is not known */
export function refuseUnknownProviders(
  providers: ProviderRegistry,
  fields: Pick<UpdateTenantRequest, (typeof fieldsOfProviders)[number]>,
): void {
  const known = providers.all.map(({ id }) => id).join(', ');
  const errors = fieldsOfProviders.flatMap((path) =>
    (fields[path]?.every((id) => providers.find(id) !== undefined) ?? true)
      ? []
      : [{ path, message: `${path} must each be one of ${known}` }],
  );
  if (errors.length === 0) return;
  throw new Problem('validation_failed', { detail: 'Some fields are not valid; see errors.', errors });
}

export class DeleteTenantQuery {
  @ApiPropertyOptional({
    enum: ['true', 'false'],
    description:
      "`true`: the tenant's name, display name and contact are also erased from the audit. Events of releases that stored them in the event itself keep theirs.",
  })
  @IsOptional()
  @IsIn(['true', 'false'])
  erase?: 'true' | 'false';
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
  @ApiProperty(allowedHostingProperty)
  allowed_hosting: readonly string[] | null;
  @ApiProperty(allowedProvidersProperty)
  allowed_providers: readonly string[] | null;
  @ApiProperty(egressAllowProperty)
  egress_allow: readonly string[] | null;
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
      allowed_hosting: tenant.allowedHosting,
      allowed_providers: tenant.allowedProviders,
      egress_allow: tenant.egressAllow,
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
