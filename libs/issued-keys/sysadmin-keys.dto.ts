import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsIn,
  IsOptional,
  Matches,
} from 'class-validator';
import { type Secret } from '#crypto';
import { type Scope, scopes, uuidPattern } from '#http';
import { type SysadminKey } from './issued-keys.entity';
import { ExpiresAtField, IssuedKeyResponse, keyFieldsOf, KeyNameField, NewKeyField } from './key-fields';

export class CreateSysadminKeyRequest {
  @KeyNameField('billing job')
  name: string;

  @ApiProperty({
    enum: scopes,
    enumName: 'Scope',
    isArray: true,
    minItems: 1,
    uniqueItems: true,
    example: ['credentials:read'],
  })
  @IsArray()
  @ArrayNotEmpty()
  @ArrayUnique()
  @IsIn(scopes, { each: true, message: `$property must each be one of ${scopes.join(', ')}` })
  scopes: Scope[];

  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string', format: 'uuid' },
    minItems: 1,
    maxItems: 1000,
    nullable: true,
    description: 'The tenants that the key is limited to. Absent: all tenants.',
  })
  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(1000)
  @Matches(uuidPattern, { each: true, message: '$property must be UUIDs' })
  tenant_ids?: string[] | null;

  @ExpiresAtField
  expires_at?: string | null;
}

export class SysadminKeyResponse extends IssuedKeyResponse {
  @ApiProperty({ example: 'billing job' })
  name: string;
  @ApiProperty({ example: 'tks_BoT0VjF9rQ2', description: 'The beginning of the key: `tks_` and its id.' })
  prefix: string;
  @ApiProperty({ enum: scopes, enumName: 'Scope', isArray: true })
  scopes: readonly Scope[];
  @ApiProperty({
    type: [String],
    format: 'uuid',
    nullable: true,
    description: 'Null: all tenants. A tenant that is deleted is removed from the list; empty: no tenant.',
  })
  tenant_ids: readonly string[] | null;

  static of(row: SysadminKey): SysadminKeyResponse {
    return { ...keyFieldsOf('tks', row), scopes: row.scopes, tenant_ids: row.tenantIds };
  }
}

export class CreatedSysadminKeyResponse extends SysadminKeyResponse {
  @NewKeyField('tks_BoT0VjF9rQ2_<49 characters>')
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
