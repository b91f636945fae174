import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
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
import { IsName } from '#http';
import { type TenantKey } from './issued-keys.entity';
import {
  ExpiresAtField,
  IssuedKeyResponse,
  keyFieldsOf,
  KeyNameField,
  NewKeyField,
  RemovedKeyResponse,
} from './key-fields';

export class CreateTenantKeyRequest {
  @KeyNameField('chat assistant')
  name: string;

  @ExpiresAtField
  expires_at?: string | null;

  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string', minLength: 1, maxLength: 200 },
    minItems: 1,
    maxItems: 500,
    uniqueItems: true,
    nullable: true,
    example: ['gpt-4o'],
    description:
      'Names of models in ai_models.yml that the key may call. Absent: all. A name that is not in the catalogue yet is kept, with a warning.',
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
    type: 'integer',
    description:
      'Requests in any 60 seconds, counted over all processes and exact to within a tenth. Absent: no limit.',
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
    type: 'integer',
    example: 100000,
    description:
      'Tokens of requests and responses in any 60 seconds, counted over all processes and exact to within a tenth. Before a call is sent, an estimate (from its text and max_tokens) is reserved. When the call has finished, the tokens that the provider reported count instead. Absent: no limit.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1_000_000_000)
  tokens_per_minute?: number | null;
}

export class TenantKeyResponse extends IssuedKeyResponse {
  @ApiProperty({ example: 'chat assistant' })
  name: string;
  @ApiProperty({ example: 'tk_BoT0VjF9rQ2', description: 'The beginning of the key: `tk_` and its id.' })
  prefix: string;
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
  @ApiProperty({ type: [String], nullable: true, description: 'Null: all models.' })
  allowed_models: readonly string[] | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Null: no limit.' })
  requests_per_minute: number | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Null: no limit.' })
  tokens_per_minute: number | null;

  static of(row: TenantKey): TenantKeyResponse {
    return {
      ...keyFieldsOf('tk', row),
      tenant_id: row.tenantId,
      allowed_models: row.allowedModels,
      requests_per_minute: row.requestsPerMinute,
      tokens_per_minute: row.tokensPerMinute,
    };
  }
}

export class CreatedTenantKeyResponse extends TenantKeyResponse {
  @NewKeyField('tk_BoT0VjF9rQ2_<49 characters>')
  key: string;

  @ApiPropertyOptional({
    type: [String],
    example: ['gpt-4 is not in the model catalogue, so no call can name it; did you mean gpt-4o?'],
    description: 'Warnings about the key. It works despite them. Absent: there are none.',
  })
  warnings?: string[];

  static with(row: TenantKey, key: Secret, warnings: string[]): CreatedTenantKeyResponse {
    return { ...TenantKeyResponse.of(row), key: key.expose(), ...(warnings.length > 0 && { warnings }) };
  }
}

export class TenantKeyListResponse {
  @ApiProperty({ type: [TenantKeyResponse] })
  items: TenantKeyResponse[];
  @ApiProperty({ example: 1 })
  count: number;
}

export class RemovedTenantKeyResponse extends RemovedKeyResponse {
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
}
