import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min, ValidateBy } from 'class-validator';
import { type AuditEvent } from '../audit-event.entity';
import { type AuditFault, countAuditFaults } from './audit-faults';
import { type ChainState, type VerifiedChain, type VerifiedPart } from './audit-chain.service';

/** How many events one request verifies at most. */
export const MAXIMUM_EVENTS = 100_000;
const MAXIMUM_FINDINGS = 100;

const seqForm = /^-?\d{1,19}$/;

/** A number that PostgreSQL's bigint holds. Someone who can change the table can store events with a negative one. */
function IsSeq(): PropertyDecorator {
  const isSeq = (value: unknown) =>
    typeof value === 'string' && seqForm.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value);
  return ValidateBy(
    { name: 'isSeq', validator: { validate: isSeq } },
    { message: '$property must be the next_after of a response' },
  );
}

export class VerifyAuditChainQuery {
  @ApiPropertyOptional({
    pattern: seqForm.source,
    example: '50000',
    description: '`next_after` of the response before. Absent: the verification begins with the first event.',
  })
  @IsOptional()
  @IsSeq()
  after?: string;

  @ApiPropertyOptional({
    type: 'integer',
    default: MAXIMUM_EVENTS,
    minimum: 1,
    maximum: MAXIMUM_EVENTS,
    description:
      'How many events are verified at most. It may be fewer, because a request ends after two seconds.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAXIMUM_EVENTS)
  limit?: number;
}

export class AuditFindingResponse {
  @ApiProperty({ example: '17', description: 'The event, or the first of several with the same fault.' })
  first: string;
  @ApiProperty({ example: '17', description: 'The last of them.' })
  last: string;
  @ApiProperty({ example: 1, description: 'How many they are.' })
  events: number;
  @ApiProperty({ example: 'was changed or moved, or does not follow the event before it' })
  fault: string;

  static of({ seq, last = seq, events = 1, fault }: AuditFault): AuditFindingResponse {
    return { first: seq, last, events, fault };
  }
}

/** What one request has verified. */
export class VerifiedAuditEventsResponse {
  @ApiProperty({ example: 1204, description: 'How many events were verified.' })
  verified: number;
  @ApiProperty({ description: 'True when there is no finding among them.' })
  intact: boolean;
  @ApiProperty({ type: [AuditFindingResponse], description: `The first ${MAXIMUM_FINDINGS} findings.` })
  findings: AuditFindingResponse[];
  @ApiProperty({ example: 0, description: 'How many more findings there are.' })
  more: number;
  @ApiProperty({
    example: 0,
    nullable: true,
    type: 'integer',
    description:
      'How many of the events were made without an encryption key; write access to the database is enough to make such an event. Null when no key is loaded.',
  })
  plain: number | null;
  @ApiProperty({
    example: '1204:kYcP0PO1nOBPZ0k2uLGtqWh6IfvmHXTBhCpzqAp4Vq0',
    description: 'The number and hash of the last of them.',
  })
  head: string;
  @ApiProperty({
    example: null,
    nullable: true,
    type: String,
    description: 'The `after` of the next request. Null: the last event is verified.',
  })
  next_after: string | null;
  @ApiProperty({ example: 41 })
  duration_ms: number;

  static of({ verification, through, isAtEnd, durationMs }: VerifiedPart): VerifiedAuditEventsResponse {
    const { events, plain, head, faults } = verification;
    return {
      verified: events,
      intact: faults.length === 0,
      findings: faults.slice(0, MAXIMUM_FINDINGS).map((each) => AuditFindingResponse.of(each)),
      more: countAuditFaults(faults.slice(MAXIMUM_FINDINGS)),
      plain: plain ?? null,
      head,
      next_after: isAtEnd ? null : through,
      duration_ms: durationMs,
    };
  }
}

export class AuditEventPlaceResponse {
  @ApiProperty({ example: '1204' })
  seq: string;
  @ApiProperty({ format: 'date-time' })
  at: string;

  static of({ seq, at }: Pick<AuditEvent, 'seq' | 'at'>): AuditEventPlaceResponse {
    return { seq, at: at.toISOString() };
  }
}

export class AuditCheckpointResponse extends AuditEventPlaceResponse {
  @ApiProperty({ example: '1000', description: 'The last event that was deleted.' })
  through: string;
}

export class LastAuditVerificationResponse {
  @ApiProperty({ format: 'date-time' })
  started_at: string;
  @ApiProperty({ format: 'date-time' })
  ended_at: string;
  @ApiProperty({
    example: null,
    nullable: true,
    type: String,
    description:
      'The event after which it begins, because another process verified those before. Null: the first.',
  })
  after: string | null;
  @ApiProperty({ example: '1204', description: 'The last event that was verified.' })
  through: string;
  @ApiProperty({ example: 1204 })
  verified: number;
  @ApiProperty({ description: 'True when there was no finding.' })
  intact: boolean;
  @ApiProperty({ example: 0 })
  findings: number;
  @ApiProperty({ description: 'True when it reached the event that was the last one then.' })
  complete: boolean;

  static of(last: VerifiedChain): LastAuditVerificationResponse {
    return {
      started_at: last.startedAt.toISOString(),
      ended_at: last.endedAt.toISOString(),
      after: last.after ?? null,
      through: last.through,
      verified: last.events,
      intact: last.faults === 0,
      findings: last.faults,
      complete: last.isComplete,
    };
  }
}

export class AuditChainResponse {
  @ApiProperty({ example: 1204, description: 'How many events are kept, by their first and last number.' })
  events: number;
  @ApiProperty({
    example: 0,
    description: 'How many events before these were deleted because of AUDIT_RETENTION_DAYS.',
  })
  expired: number;
  @ApiProperty({ type: AuditEventPlaceResponse, nullable: true, description: 'Null without events.' })
  first: AuditEventPlaceResponse | null;
  @ApiProperty({ type: AuditEventPlaceResponse, nullable: true })
  last: AuditEventPlaceResponse | null;
  @ApiProperty({
    example: '1204:kYcP0PO1nOBPZ0k2uLGtqWh6IfvmHXTBhCpzqAp4Vq0',
    nullable: true,
    type: String,
    description:
      'The number and hash of the last event. Keep it outside the database: `npx tenkey audit verify --head` shows later whether events up to it were removed.',
  })
  head: string | null;
  @ApiProperty({
    type: AuditCheckpointResponse,
    nullable: true,
    description:
      'The newest signed event that records a deletion; null: nothing was deleted. Only a verification checks its signature.',
  })
  checkpoint: AuditCheckpointResponse | null;
  @ApiProperty({
    example: 730,
    nullable: true,
    type: 'integer',
    description: 'AUDIT_RETENTION_DAYS; null: events are kept for ever.',
  })
  retention_days: number | null;
  @ApiProperty({
    enum: ['hmac', 'hash'],
    enumName: 'AuditChain',
    description: 'How new events are chained. hash: with a plain hash, because there is no ENCRYPTION_KEY.',
  })
  audit_chain: 'hmac' | 'hash';
  @ApiProperty({
    type: LastAuditVerificationResponse,
    nullable: true,
    description:
      'The last verification over this API by the process that responds; null: none since it started.',
  })
  last_verification: LastAuditVerificationResponse | null;

  static of(state: ChainState): AuditChainResponse {
    const { first, last, head, checkpoint, isKeyed, retentionDays, lastVerification } = state;
    return {
      events: first && last ? Number(BigInt(last.seq) - BigInt(first.seq) + 1n) : 0,
      expired: Number(checkpoint?.through ?? 0),
      first: first ? AuditEventPlaceResponse.of(first) : null,
      last: last ? AuditEventPlaceResponse.of(last) : null,
      head: head ?? null,
      checkpoint: checkpoint
        ? { ...AuditEventPlaceResponse.of(checkpoint), through: checkpoint.through }
        : null,
      retention_days: retentionDays === 0 ? null : retentionDays,
      audit_chain: isKeyed ? 'hmac' : 'hash',
      last_verification: lastVerification ? LastAuditVerificationResponse.of(lastVerification) : null,
    };
  }
}
