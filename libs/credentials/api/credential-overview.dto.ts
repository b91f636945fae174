import { ApiProperty, ApiPropertyOptional, getSchemaPath, IntersectionType, PickType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Matches, Max, Min, ValidateBy } from 'class-validator';
import { ListQuery, PageResponse, uuidPattern } from '#http';
import { type CredentialStatus, slots } from '../credential';
import { expiresWithinDays } from '../expiry';
import {
  type CredentialFilter,
  type CredentialPosition,
  type OverviewRow,
  overviewStatuses,
} from '../overview/credential-overview.service';
import { RejectionResponse, StoredCredentialResponse } from './credential-list.dto';
import { VerificationResponse } from './credentials.dto';

export const overviewStatus = { enum: overviewStatuses, enumName: 'OverviewStatus' };
const providerPattern = /^[a-z][a-z0-9]*([_-][a-z0-9]+)*$/;

export class CredentialFilterQuery {
  @ApiPropertyOptional({
    ...overviewStatus,
    description:
      'Only credentials of this status. `tampered` is not among them, because a seal cannot be checked without the sealed key, which this route does not read: the list of one tenant and `npx tenkey doctor` show it.',
  })
  @IsOptional()
  @IsIn(overviewStatuses, { message: `$property must be one of ${overviewStatuses.join(', ')}` })
  status?: CredentialStatus;

  @ApiPropertyOptional({
    example: 'openai',
    maxLength: 40,
    pattern: providerPattern.source,
    description: 'Only credentials for this provider.',
  })
  @IsOptional()
  @Matches(providerPattern, { message: '$property must be the id of a provider' })
  provider?: string;

  @ApiPropertyOptional({
    type: 'integer',
    example: 30,
    minimum: 0,
    maximum: 3650,
    description: 'Only credentials that expire within this number of days, or have expired.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(3650)
  expires_within_days?: number;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'true: only staged credentials. false: only live ones.',
  })
  @IsOptional()
  @IsIn(['true', 'false'], { message: '$property must be true or false' })
  staged?: string;

  static filterOf(query: CredentialFilterQuery): CredentialFilter {
    const { status, provider, expires_within_days: expires, staged } = query;
    return {
      ...(status !== undefined && { status }),
      ...(provider !== undefined && { provider }),
      ...(expires !== undefined && { expiresWithinDays: expires }),
      ...(staged !== undefined && { staged: staged === 'true' }),
    };
  }
}

/** The names that a query may have. */
export const filterNames = ['status', 'provider', 'expires_within_days', 'staged'] as const;

export function encodeOverviewCursor({ tenantId, provider, slot }: CredentialPosition): string {
  return `${tenantId}_${slot}_${provider}`;
}

/** @returns undefined if the text is not a cursor */
export function decodeOverviewCursor(cursor: string | undefined): CredentialPosition | undefined {
  const [, tenantId = '', slot, provider = ''] = /^([^_]+)_([^_]+)_([^\0]{1,200})$/.exec(cursor ?? '') ?? [];
  const known = slots.find((each) => each === slot);
  return uuidPattern.test(tenantId) && known ? { tenantId, provider, slot: known } : undefined;
}

function IsOverviewCursor(): PropertyDecorator {
  const isCursor = (value: unknown) => typeof value === 'string' && decodeOverviewCursor(value) !== undefined;
  return ValidateBy(
    { name: 'isCursor', validator: { validate: isCursor } },
    { message: '$property must be the next_cursor of a page' },
  );
}

export class CredentialOverviewQuery extends IntersectionType(CredentialFilterQuery, ListQuery) {
  @ApiPropertyOptional({ maxLength: 250, description: '`next_cursor` of the previous page.' })
  @IsOptional()
  @IsOverviewCursor()
  cursor?: string;

  @ApiPropertyOptional({
    enum: ['json', 'csv'],
    enumName: 'ListFormat',
    default: 'json',
    description: '`csv` contains all rows; `limit` does not apply.',
  })
  @IsOptional()
  @IsIn(['json', 'csv'])
  format?: 'json' | 'csv';
}

/** What the overview has of a credential in the same form as the list of one tenant. */
const ListedFields = PickType(StoredCredentialResponse, [
  'masked_key',
  'version',
  'configured_at',
  'expires_at',
  'expires_within_days',
  'verification',
  'rejection',
]);

/** A live or staged credential of any tenant. */
export class OverviewCredentialResponse extends ListedFields {
  @ApiProperty({ format: 'uuid', example: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10' })
  tenant_id: string;
  @ApiProperty({ example: 'sundsvall', description: "The tenant's name." })
  tenant: string;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ example: false, description: 'True: it is staged, and calls do not use it.' })
  staged: boolean;
  @ApiProperty({
    ...overviewStatus,
    example: 'expiring',
    description:
      'As in the list of one tenant, except that `tampered` is missing: such a credential has the status that it would have with a valid seal.',
  })
  status: CredentialStatus;

  static of(row: OverviewRow): OverviewCredentialResponse {
    return {
      tenant_id: row.tenantId,
      tenant: row.tenant,
      provider: row.provider,
      staged: row.slot === 'staged',
      status: row.status,
      masked_key: row.mask,
      version: row.version,
      configured_at: row.configuredAt.toISOString(),
      expires_at: row.expiresAt?.toISOString() ?? null,
      expires_within_days: expiresWithinDays(row.expiresAt) ?? null,
      verification: row.verification && VerificationResponse.of(row.verification),
      rejection: row.rejection && RejectionResponse.of(row.rejection),
    };
  }
}

export class CredentialOverviewResponse extends PageResponse {
  @ApiProperty({ type: [OverviewCredentialResponse] })
  items: OverviewCredentialResponse[];
}

/** The columns of the CSV, in their order. */
export const overviewColumns: Readonly<Record<string, (row: OverviewCredentialResponse) => unknown>> = {
  tenant_id: (row) => row.tenant_id,
  tenant: (row) => row.tenant,
  provider: (row) => row.provider,
  staged: (row) => String(row.staged),
  status: (row) => row.status,
  masked_key: (row) => row.masked_key,
  version: (row) => row.version,
  configured_at: (row) => row.configured_at,
  expires_at: (row) => row.expires_at,
  verification: (row) => row.verification?.outcome,
  verified_at: (row) => row.verification?.verified_at,
  rejected_at: (row) => row.rejection?.at,
};

export const credentialOverviewResponse = {
  description: 'The credentials. With `format=csv` they are CSV whose first line has the names.',
  content: {
    'application/json': { schema: { $ref: getSchemaPath(CredentialOverviewResponse) } },
    'text/csv': { schema: { type: 'string' as const } },
  },
};
