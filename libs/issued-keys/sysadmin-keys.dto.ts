import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  Length,
  Matches,
} from 'class-validator';
import { type Secret } from '#crypto';
import { IsName, IsTime, type Scope, scopes, uuidPattern } from '#http';
import { Trimmed } from '#providers';
import { prefixOf } from './issued-key';
import { type SysadminKey } from './sysadmin-key.entity';

export class CreateSysadminKeyRequest {
  @ApiProperty({ example: 'billing job', description: 'Whose key it is, for lists and the audit.' })
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @IsName()
  name: string;

  @ApiProperty({ enum: scopes, isArray: true, example: ['credentials:read'] })
  @IsArray()
  @ArrayNotEmpty()
  @ArrayUnique()
  @IsIn(scopes, { each: true, message: `$property must each be one of ${scopes.join(', ')}` })
  scopes: Scope[];

  @ApiPropertyOptional({
    type: [String],
    format: 'uuid',
    nullable: true,
    description: 'The tenants that it is for. Absent: all.',
  })
  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(1000)
  @Matches(uuidPattern, { each: true, message: '$property must be UUIDs' })
  tenant_ids?: string[] | null;

  @ApiPropertyOptional({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'From then on it opens nothing. Absent: it does not expire.',
  })
  @IsOptional()
  @IsTime('time')
  expires_at?: string | null;
}

export class SysadminKeyResponse {
  @ApiProperty({
    example: 'BoT0VjF9rQ2',
    description: 'Names the key in logs and in the audit; opens nothing.',
  })
  id: string;
  @ApiProperty({ example: 'billing job' })
  name: string;
  @ApiProperty({ example: 'tks_BoT0VjF9rQ2', description: 'What the key begins with.' })
  prefix: string;
  @ApiProperty({ example: '...xyz9', description: 'Its last four characters.' })
  masked_key: string;
  @ApiProperty({ enum: scopes, isArray: true })
  scopes: readonly Scope[];
  @ApiProperty({
    type: [String],
    format: 'uuid',
    nullable: true,
    description: 'Null: all tenants. A tenant that is deleted is taken out; empty: it is for none.',
  })
  tenant_ids: readonly string[] | null;
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

  static of(row: SysadminKey): SysadminKeyResponse {
    return {
      id: row.id,
      name: row.name,
      prefix: prefixOf('tks', row.id),
      masked_key: row.keyHint,
      scopes: row.scopes,
      tenant_ids: row.tenantIds,
      expires_at: row.expiresAt?.toISOString() ?? null,
      status: row.expiresAt !== null && row.expiresAt.getTime() <= Date.now() ? 'expired' : 'active',
      last_used_at: row.lastUsedAt?.toISOString() ?? null,
      created_at: row.createdAt.toISOString(),
    };
  }
}

export class CreatedSysadminKeyResponse extends SysadminKeyResponse {
  @ApiProperty({
    example: 'tks_BoT0VjF9rQ2_<49 characters>',
    description: 'The key. Keep it now: it is stored as a hash, and no route shows it again.',
  })
  key: string;

  static with(row: SysadminKey, key: Secret): CreatedSysadminKeyResponse {
    return { ...SysadminKeyResponse.of(row), key: key.expose() };
  }
}

export class SysadminKeyListResponse {
  @ApiProperty({ type: [SysadminKeyResponse] })
  items: SysadminKeyResponse[];
  @ApiProperty({ example: 1 })
  count: number;
}

export class RemovedSysadminKeyResponse {
  @ApiProperty({ example: 'BoT0VjF9rQ2' })
  id: string;
  @ApiProperty({ example: 'The key is revoked.' })
  message: string;
  @ApiProperty({ description: 'False when there was none.' })
  deleted: boolean;
}
