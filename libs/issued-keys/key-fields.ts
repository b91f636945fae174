import { applyDecorators } from '@nestjs/common';
import { ApiParam, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, Length } from 'class-validator';
import { IsName, IsTime, Problem } from '#http';
import { Trimmed } from '#providers';
import { keyIdPattern, type KeyKind, prefixOf } from './issued-key';
import { type SysadminKey, type TenantKey } from './issued-keys.entity';

// What requests, paths and responses have in common for both kinds of issued keys. Where a constant applies several decorators,
// the last rule of the field comes first.

export function KeyNameField(example: string): PropertyDecorator {
  return applyDecorators(
    IsName(),
    Length(1, 100),
    IsString(),
    Trimmed(),
    ApiProperty({
      example,
      minLength: 1,
      maxLength: 100,
      description: 'A name that says whose key it is, shown in lists and in the audit.',
    }),
  );
}

export const ExpiresAtField = applyDecorators(
  IsTime('time'),
  IsOptional(),
  ApiPropertyOptional({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'When the key expires. Absent: it does not expire.',
  }),
);

/**
 * @param before the key's expiry until now, which may be in the past
 * @returns null for a key that does not expire
 * @throws Problem for another time in the past: such a key would open nothing
 */
export function expiryOf(text: string | null | undefined, before: Date | null = null): Date | null {
  if (text === undefined || text === null) return null;
  const date = new Date(text);
  if (date.getTime() > Date.now() || date.getTime() === before?.getTime()) return date;
  throw notValid('expires_at', 'expires_at must be in the future');
}

export function notValid(path: string, message: string): Problem {
  const errors = [{ path, message }];
  return new Problem('validation_failed', { detail: 'Some fields are not valid; see errors.', errors });
}

export const keyParam = ApiParam({
  name: 'key_id',
  schema: { type: 'string', pattern: keyIdPattern.source },
  example: 'BoT0VjF9rQ2',
  description: "The key's `id`.",
});

/** A key's id from the path. @throws Problem that does not repeat the text, which may be the key itself */
export function validKeyId(text: string): string {
  if (keyIdPattern.test(text)) return text;
  throw notValid('key_id', 'key_id must be the id of a key, not the key');
}

export class IssuedKeyResponse {
  @ApiProperty({
    example: 'BoT0VjF9rQ2',
    description: 'Identifies the key in logs and in the audit. It is not secret.',
  })
  id: string;
  @ApiProperty({ example: '...xyz9', description: 'Its last four characters.' })
  masked_key: string;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'When the key expires. Null: it does not.',
  })
  expires_at: string | null;
  @ApiProperty({ enum: ['active', 'expired'], enumName: 'KeyStatus' })
  status: 'active' | 'expired';
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'To the minute. Null: it has not been used.',
  })
  last_used_at: string | null;
  @ApiProperty({ format: 'date-time' })
  created_at: string;
}

/** The fields of a key's response that both kinds have. */
export function keyFieldsOf(kind: KeyKind, row: TenantKey | SysadminKey) {
  return {
    id: row.id,
    name: row.name,
    prefix: prefixOf(kind, row.id),
    masked_key: row.mask,
    expires_at: row.expiresAt?.toISOString() ?? null,
    status: isExpired(row) ? ('expired' as const) : ('active' as const),
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    created_at: row.createdAt.toISOString(),
  };
}

function isExpired({ expiresAt }: TenantKey | SysadminKey): boolean {
  return expiresAt !== null && expiresAt.getTime() <= Date.now();
}

/** Documents the field with a new key, in the only response that has it. */
export function NewKeyField(example: string): PropertyDecorator {
  return ApiProperty({
    example,
    description: 'The key. Store it now: Tenkey keeps only a hash, and no route returns it again.',
  });
}

export class RemovedKeyResponse {
  @ApiProperty({ example: 'BoT0VjF9rQ2' })
  id: string;
  @ApiProperty({ example: 'The key is revoked.' })
  message: string;
  @ApiProperty({ description: 'False if there was nothing to delete.' })
  deleted: boolean;

  static of(id: string, deleted: boolean): RemovedKeyResponse {
    return { id, message: deleted ? 'The key is revoked.' : 'There was no such key.', deleted };
  }
}
