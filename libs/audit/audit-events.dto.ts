import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, Matches } from 'class-validator';
import { EventListQuery, IsSearchText, PageResponse, uuidPattern } from '#http';
import { type AuditEvent, type AuditOutcome, auditOutcomes } from './audit-event.entity';

/** A text that a field of the event must equal. The last rule comes first. */
const IsFilter = applyDecorators(IsSearchText(), IsOptional());

export class ListAuditEventsQuery extends EventListQuery {
  @ApiPropertyOptional({ format: 'uuid', description: 'Only events of this tenant.' })
  @IsOptional()
  @Matches(uuidPattern, { message: '$property must be a UUID' })
  tenant_id?: string;

  @ApiPropertyOptional({ example: 'credential.set', description: 'Only events with this action.' })
  @IsFilter
  action?: string;

  @ApiPropertyOptional({ enum: auditOutcomes, enumName: 'AuditOutcome' })
  @IsOptional()
  @IsIn(auditOutcomes)
  outcome?: AuditOutcome;

  @ApiPropertyOptional({ description: 'Only events with this actor, written as in the list.' })
  @IsFilter
  actor?: string;

  @ApiPropertyOptional({
    pattern: '^[1-9][0-9]{0,17}$',
    description: '`next_cursor` of the previous page.',
  })
  @IsOptional()
  @Matches(/^[1-9]\d{0,17}$/, { message: '$property must be the next_cursor of a page' })
  cursor?: string;
}

export class AuditEventResponse {
  @ApiProperty({ example: '17', description: 'Counts from 1 without gaps.' })
  seq: string;
  @ApiProperty({ format: 'date-time' })
  at: string;
  @ApiProperty({
    example: 'super-key sha256:5f0c2e2a',
    description:
      'The key that was used, by kind and fingerprint or name. For a refused attempt without a valid key: `sysadmin-key <id> (not accepted)` or `tenant-key <id> (not accepted)` if the text has the form of such a key, which may be revoked, expired or for the other API; otherwise `nobody`.',
  })
  actor: string;
  @ApiProperty({ example: 'credential.set' })
  action: string;
  @ApiProperty({ enum: auditOutcomes, enumName: 'AuditOutcome' })
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
      'Masks, versions and similar values, before and after. Never a secret. `{"unreadable":true}`, or 1970 as `at`, replaces a value that was changed in the database and that a list cannot show; `audit verify` reports such an event.',
  })
  details: Readonly<Record<string, unknown>>;
  @ApiProperty({ format: 'uuid', description: 'The same as in the log and in x-tenkey-request-id.' })
  request_id: string;
  @ApiProperty({ example: '10.0.0.7' })
  address: string;
  @ApiProperty({ description: 'Covers this event and the hash of the previous one.' })
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

export class AuditEventPageResponse extends PageResponse {
  @ApiProperty({ type: [AuditEventResponse] })
  items: AuditEventResponse[];
}
