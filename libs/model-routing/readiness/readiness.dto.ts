import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { type Mode, modes } from '#config';
import { type TenantState, tenantStates } from '#tenants';
import { ExpectedProblemResponse, ExplainedCredentialResponse } from './explain.dto';
import {
  type ExpiryWarning,
  type ReadinessCell,
  type ReadinessPage,
  readinessParts,
} from './readiness-report';

export class ReadinessQuery {
  @ApiPropertyOptional({
    enum: ['strict'],
    description: 'The mode that the report is about; by default the one in force.',
  })
  @IsOptional()
  @IsIn(['strict'])
  mode?: 'strict';

  @ApiPropertyOptional({
    enum: readinessParts,
    enumName: 'ReadinessPart',
    description:
      '`failing`: only the pairs of tenant and provider that break, and no `warnings`. `warning`: only those with a warning, also when they do not break.',
  })
  @IsOptional()
  @IsIn(readinessParts)
  only?: (typeof readinessParts)[number];

  @ApiPropertyOptional({ maxLength: 40, example: 'openai', description: 'Only this provider.' })
  @IsOptional()
  @IsString()
  @MaxLength(40)
  provider?: string;

  @ApiPropertyOptional({
    maxLength: 200,
    example: 'sundsvall',
    description: 'Only the tenant with this id or exactly this name.',
  })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  tenant?: string;

  @ApiPropertyOptional({
    default: 50,
    minimum: 1,
    maximum: 200,
    description: 'How many tenants a page has at most.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(200)
  limit?: number;

  @ApiPropertyOptional({ maxLength: 200, description: '`next_cursor` of the previous page.' })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  cursor?: string;
}

export class ProviderInUseResponse {
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ type: [String], example: ['gpt-4o'] })
  models: string[];
}

export class ReadinessCellResponse {
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ description: 'True when all models of this provider can be called.' })
  ready: boolean;
  @ApiProperty({ type: ExplainedCredentialResponse, nullable: true })
  credential: ExplainedCredentialResponse | null;
  @ApiProperty({ type: [String], example: ['gpt-4o'], description: 'The models whose calls would fail.' })
  failing_models: string[];
  @ApiProperty({
    type: [String],
    example: ['gpt-4o'],
    description:
      'The failing models that break: those that work today, and those whose credential exists and cannot be used. A provider for which a tenant has no credential in strict mode breaks nothing, unless its `expected_providers` name it: otherwise the tenant does not use it.',
  })
  breaking_models: string[];
  @ApiProperty({
    type: ExpectedProblemResponse,
    nullable: true,
    description:
      'The problem of the first breaking model, or else of the first failing one; null when ready.',
  })
  problem: ExpectedProblemResponse | null;
  @ApiProperty({
    type: [String],
    example: [],
    description: 'Warnings, which stop no call, such as two models that reach one deployment.',
  })
  warnings: string[];

  static of(cell: ReadinessCell, publicUrl: string | undefined): ReadinessCellResponse {
    const { provider, credential, failing, breaking, problem, warnings } = cell;
    return {
      provider: provider.id,
      ready: failing.length === 0,
      credential: credential ? ExplainedCredentialResponse.of(credential) : null,
      failing_models: failing.map(({ name }) => name),
      breaking_models: breaking.map(({ name }) => name),
      problem: problem ? ExpectedProblemResponse.of(problem, publicUrl) : null,
      warnings: [...warnings],
    };
  }
}

export class TenantReadinessResponse {
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
  @ApiProperty({ example: 'sundsvall' })
  name: string;
  @ApiProperty({ enum: tenantStates, enumName: 'TenantState' })
  state: TenantState;
  @ApiProperty({ type: [ReadinessCellResponse] })
  providers: ReadinessCellResponse[];
}

export class ExpiryWarningResponse {
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
  @ApiProperty({ example: 'sundsvall' })
  name: string;
  @ApiProperty({
    nullable: true,
    type: String,
    example: 'it-drift@sundsvall.example',
    description: "Where to send alerts about this tenant's credentials.",
  })
  contact_email: string | null;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ example: '...xyz9' })
  masked_key: string;
  @ApiProperty({ example: '3' })
  version: string;
  @ApiProperty({ format: 'date-time' })
  expires_at: string;
  @ApiProperty({
    enum: [30, 7, 1, 0],
    enumName: 'WarningDays',
    description: '0 when the credential has expired.',
  })
  within_days: number;

  static of(warning: ExpiryWarning): ExpiryWarningResponse {
    return {
      tenant_id: warning.tenant.id,
      name: warning.tenant.name,
      contact_email: warning.tenant.contactEmail,
      provider: warning.provider,
      masked_key: warning.mask,
      version: warning.version,
      expires_at: warning.expiresAt.toISOString(),
      within_days: warning.withinDays,
    };
  }
}

export class ReadinessPageResponse {
  @ApiProperty({ enum: modes, enumName: 'Mode', description: 'The mode in force.' })
  current_mode: Mode;
  @ApiProperty({ enum: modes, enumName: 'Mode', description: 'The mode that the report is about.' })
  mode: Mode;
  @ApiProperty({
    enum: ['on', 'off'],
    enumName: 'ReceiptsState',
    description: 'Whether calls have receipts; off without ENCRYPTION_KEY.',
  })
  receipts: 'on' | 'off';
  @ApiProperty({
    enum: ['hmac', 'hash'],
    enumName: 'AuditChain',
    description:
      'How the audit events are chained. Without ENCRYPTION_KEY it is a plain hash, which anyone who can write to the database can forge.',
  })
  audit_chain: 'hmac' | 'hash';
  @ApiProperty({ type: [String], example: [], description: 'What blocks the calls of all tenants.' })
  blockers: string[];
  @ApiProperty({ type: [ProviderInUseResponse], description: 'The providers that the catalogue uses.' })
  providers: ProviderInUseResponse[];
  @ApiProperty({ type: [TenantReadinessResponse] })
  items: TenantReadinessResponse[];
  @ApiProperty({
    type: [ExpiryWarningResponse],
    description: 'Credentials of the tenants on this page that expire soon or have expired.',
  })
  warnings: ExpiryWarningResponse[];
  @ApiProperty({ example: 0, description: 'How many pairs of tenant and provider on this page break.' })
  breaking: number;
  @ApiProperty({ example: 1, description: 'The number of tenants on this page.' })
  count: number;
  @ApiProperty({
    example: 1,
    description: 'The number of tenants that the report is about, also those that `only` leaves out.',
  })
  total: number;
  @ApiProperty({ nullable: true, type: String, example: null, description: 'Null on the last page.' })
  next_cursor: string | null;

  /** @param publicUrl the address of Tenkey for its clients, if it is known: the hints name it */
  static of(page: ReadinessPage, publicUrl: string | undefined): ReadinessPageResponse {
    const items = page.rows.map(({ tenant, cells }) => ({
      tenant_id: tenant.id,
      name: tenant.name,
      state: tenant.state,
      providers: cells.map((cell) => ReadinessCellResponse.of(cell, publicUrl)),
    }));
    return {
      current_mode: page.currentMode,
      mode: page.mode,
      receipts: page.hasReceipts ? 'on' : 'off',
      audit_chain: page.hasReceipts ? 'hmac' : 'hash',
      blockers: [...page.blockers],
      providers: [...page.columns].map(([{ id }, models]) => ({
        provider: id,
        models: models.map(({ name }) => name),
      })),
      items,
      warnings: page.warnings.map((warning) => ExpiryWarningResponse.of(warning)),
      breaking: items.flatMap(({ providers }) => providers).filter((cell) => cell.breaking_models.length > 0)
        .length,
      count: items.length,
      total: page.total,
      next_cursor: page.nextCursor,
    };
  }
}
