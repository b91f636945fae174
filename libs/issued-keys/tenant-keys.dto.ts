import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
} from 'class-validator';
import { type Secret } from '#crypto';
import { IsName, trimmed } from '#http';
import { prefixOf } from './issued-key';
import { IsMoment } from './key-fields';
import { type TenantKey } from './issued-keys.entity';

export class CreateTenantKeyRequest {
  @ApiProperty({ example: 'chat assistant', description: 'Whose key it is, for lists and the audit.' })
  @Transform(trimmed)
  @IsString()
  @Length(1, 100)
  @IsName()
  name: string;

  @ApiPropertyOptional({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'From then on it opens nothing. Absent: it does not expire.',
  })
  @IsOptional()
  @IsMoment()
  expires_at?: string | null;

  @ApiPropertyOptional({
    type: [String],
    nullable: true,
    example: ['gpt-4o'],
    description:
      'Names of ai_models.yml that it may call. Absent: all. A name that the catalogue does not have yet is kept.',
  })
  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(500)
  @ArrayUnique()
  @IsString({ each: true })
  @Length(1, 200, { each: true })
  @IsName({ each: true, isGiven: true })
  allowed_models?: string[] | null;

  @ApiPropertyOptional({
    minimum: 1,
    maximum: 1000000,
    nullable: true,
    type: Number,
    description: 'Requests in any 60 seconds, counted in each Tenkey process on its own. Absent: no limit.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  requests_per_minute?: number | null;

  @ApiPropertyOptional({
    minimum: 1,
    maximum: 1000000000,
    nullable: true,
    type: Number,
    example: 100000,
    description:
      "Tokens in any 60 seconds, of requests and answers, counted in each Tenkey process on its own. A call's estimate (its text, and max_tokens) is reserved before it is sent; what the provider reports counts when it is over. Absent: no limit.",
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1_000_000_000)
  tokens_per_minute?: number | null;
}

export class TenantKeyResponse {
  @ApiProperty({
    example: 'BoT0VjF9rQ2',
    description: 'Names the key in logs and in the audit; opens nothing.',
  })
  id: string;
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
  @ApiProperty({ example: 'chat assistant' })
  name: string;
  @ApiProperty({ example: 'tk_BoT0VjF9rQ2', description: 'What the key begins with.' })
  prefix: string;
  @ApiProperty({ example: '...xyz9', description: 'Its last four characters.' })
  masked_key: string;
  @ApiProperty({ type: [String], nullable: true, description: 'Null: all models.' })
  allowed_models: readonly string[] | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Null: no limit.' })
  requests_per_minute: number | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Null: no limit.' })
  tokens_per_minute: number | null;
  @ApiProperty({ format: 'date-time', nullable: true, type: String, description: 'Null: it does not.' })
  expires_at: string | null;
  @ApiProperty({ enum: ['active', 'expired'] })
  status: 'active' | 'expired';
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'To the minute. Null: never.',
  })
  last_used_at: string | null;
  @ApiProperty({ format: 'date-time' })
  created_at: string;

  static of(row: TenantKey): TenantKeyResponse {
    return {
      id: row.id,
      tenant_id: row.tenantId,
      name: row.name,
      prefix: prefixOf('tk', row.id),
      masked_key: row.keyHint,
      allowed_models: row.allowedModels,
      requests_per_minute: row.requestsPerMinute,
      tokens_per_minute: row.tokensPerMinute,
      expires_at: row.expiresAt?.toISOString() ?? null,
      status: row.expiresAt !== null && row.expiresAt.getTime() <= Date.now() ? 'expired' : 'active',
      last_used_at: row.lastUsedAt?.toISOString() ?? null,
      created_at: row.createdAt.toISOString(),
    };
  }
}

export class CreatedTenantKeyResponse extends TenantKeyResponse {
  @ApiProperty({
    example: 'tk_BoT0VjF9rQ2_<49 characters>',
    description: 'The key. Keep it now: it is stored as a hash, and no route shows it again.',
  })
  key: string;

  static with(row: TenantKey, key: Secret): CreatedTenantKeyResponse {
    return { ...TenantKeyResponse.of(row), key: key.expose() };
  }
}

export class TenantKeyListResponse {
  @ApiProperty({ type: [TenantKeyResponse] })
  items: TenantKeyResponse[];
  @ApiProperty({ example: 1 })
  count: number;
}

export class RemovedTenantKeyResponse {
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
  @ApiProperty({ example: 'BoT0VjF9rQ2' })
  id: string;
  @ApiProperty({ example: 'The key is revoked.' })
  message: string;
  @ApiProperty({ description: 'False when there was none.' })
  deleted: boolean;
}
