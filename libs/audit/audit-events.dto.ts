import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, Matches } from 'class-validator';
import { EventListQuery, IsSearchText, uuidPattern } from '#http';
import { type AuditEvent, type AuditOutcome } from './audit-event.entity';

export class ListAuditEventsQuery extends EventListQuery {
  @ApiPropertyOptional({ format: 'uuid', description: 'Only events of this tenant.' })
  @IsOptional()
  @Matches(uuidPattern, { message: '$property must be a UUID' })
  tenant_id?: string;

  @ApiPropertyOptional({ example: 'credential.set', description: 'Only events of this action.' })
  @IsOptional()
  @IsSearchText()
  action?: string;

  @ApiPropertyOptional({ enum: ['done', 'refused'] })
  @IsOptional()
  @IsIn(['done', 'refused'])
  outcome?: AuditOutcome;

  @ApiPropertyOptional({ description: 'Only events of this actor, as the list shows it.' })
  @IsOptional()
  @IsSearchText()
  actor?: string;

  @ApiPropertyOptional({ description: '`next_cursor` of the page before.' })
  @IsOptional()
  @Matches(/^[1-9]\d{0,17}$/, { message: '$property must be the next_cursor of a page' })
  cursor?: string;
}

export class AuditEventResponse {
  @ApiProperty({ example: '17', description: 'Counts from 1 without a gap.' })
  seq: string;
  @ApiProperty({ format: 'date-time' })
  at: string;
  @ApiProperty({
    example: 'super-key sha256:5f0c2e2a',
    description:
      'Which key, by kind and fingerprint or name. Of a refused attempt without a valid key: `sysadmin-key <id> (not accepted)` or `tenant-key <id> (not accepted)` for a key of that form, as one that was revoked, has expired or opens the other API; else `nobody`.',
  })
  actor: string;
  @ApiProperty({ example: 'credential.set' })
  action: string;
  @ApiProperty({ enum: ['done', 'refused'] })
  outcome: AuditOutcome;
  @ApiProperty({ format: 'uuid', nullable: true, type: String })
  tenant_id: string | null;
  @ApiProperty({ nullable: true, type: String, example: 'openai' })
  provider: string | null;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { before: { mask: '...abcd', version: '3' }, after: { mask: '...xyz9', version: '4' } },
    description:
      'Masks, versions and the like, before and after. Never a secret. `{"unreadable":true}`, or 1970 as `at`, stand for what somebody put there in the database and no list can show; `audit verify` names such an event.',
  })
  details: Readonly<Record<string, unknown>>;
  @ApiProperty({ format: 'uuid', description: 'As in the log and in x-tenkey-request-id.' })
  request_id: string;
  @ApiProperty({ example: '10.0.0.7' })
  address: string;
  @ApiProperty({ description: 'Covers this event and the hash of the one before it.' })
  hash: string;

  static of(event: AuditEvent): AuditEventResponse {
    return {
      seq: event.seq,
      at: event.at.toISOString(),
      actor: event.actor,
      action: event.action,
      outcome: event.outcome,
      tenant_id: event.tenantId,
      provider: event.provider,
      details: event.details,
      request_id: event.requestId,
      address: event.address,
      hash: event.hash,
    };
  }
}

export class AuditEventPageResponse {
  @ApiProperty({ type: [AuditEventResponse] })
  items: AuditEventResponse[];
  @ApiProperty({ example: 1, description: 'Items on this page.' })
  count: number;
  @ApiProperty({ nullable: true, type: String, example: null, description: 'Null on the last page.' })
  next_cursor: string | null;
}
