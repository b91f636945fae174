import { ApiProperty } from '@nestjs/swagger';
import { type Scope, scopes, type SysadminGrant } from '#http';
import { idleMinutes } from './session-rows';

export class SessionResponse {
  @ApiProperty({
    example: 'sysadmin-key helpdesk BoT0VjF9rQ2',
    description: 'Who is signed in: the key, as the audit names it.',
  })
  actor: string;
  @ApiProperty({ description: 'True for the super key, which opens every route.' })
  super: boolean;
  @ApiProperty({ enum: scopes, enumName: 'Scope', isArray: true })
  scopes: readonly Scope[];
  @ApiProperty({
    type: [String],
    format: 'uuid',
    nullable: true,
    description: 'The tenants that the key is limited to. Null: all tenants. Empty: no tenant.',
  })
  tenant_ids: readonly string[] | null;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description:
      'When the session ends, however much it is used. Null: the request came with a key, not with a session.',
  })
  expires_at: string | null;
  @ApiProperty({
    example: idleMinutes,
    description: 'After how many minutes without a request a session ends.',
  })
  idle_minutes: number;

  /** @param expiresAt when the session ends; null: there is none */
  static of(grant: SysadminGrant, expiresAt: Date | null): SessionResponse {
    return {
      actor: grant.actor,
      super: grant.kind === 'super',
      scopes: grant.kind === 'super' ? scopes : grant.scopes,
      tenant_ids: grant.tenantIds,
      expires_at: expiresAt?.toISOString() ?? null,
      idle_minutes: idleMinutes,
    };
  }
}
