import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, Matches, ValidateBy } from 'class-validator';
import { EventListQuery, isTime, uuidPattern } from '#http';
import { type UsageOutcome, usageOutcomes, type UsageRecord } from '../usage-record.entity';
import { type RecordFilter } from './usage-report.service';

/** A place in the list: the time and id of a record. */
function IsCursor(): PropertyDecorator {
  const isCursor = (value: unknown) => typeof value === 'string' && placeOf(value) !== undefined;
  return ValidateBy(
    { name: 'isCursor', validator: { validate: isCursor } },
    { message: '$property must be the next_cursor of a page' },
  );
}

export class ListUsageRecordsQuery extends EventListQuery {
  @ApiPropertyOptional({ format: 'uuid', description: 'Only calls of this tenant.' })
  @IsOptional()
  @Matches(uuidPattern, { message: '$property must be a UUID' })
  tenant_id?: string;

  @ApiPropertyOptional({ example: 'BoT0VjF9rQ2', description: 'Only calls with this tenant key.' })
  @IsOptional()
  @Matches(/^[0-9A-Za-z]{11}$/, { message: '$property must be the id of a key' })
  key_id?: string;

  @ApiPropertyOptional({ description: '`next_cursor` of the page before.' })
  @IsOptional()
  @IsCursor()
  cursor?: string;
}

export function cursorOf({ at, requestId }: UsageRecord): string {
  return `${at.toISOString()}_${requestId}`;
}

export function placeOf(cursor: string | undefined): RecordFilter['before'] {
  const [time = '', requestId = ''] = cursor?.split('_') ?? [];
  const isPlace = isTime(time, 'UTC in ms') && uuidPattern.test(requestId);
  return isPlace ? { at: new Date(time), requestId } : undefined;
}

export class UsageRecordResponse {
  @ApiProperty({ format: 'uuid', description: 'As in the log and in x-tenkey-request-id.' })
  request_id: string;
  @ApiProperty({ format: 'date-time', description: 'When the call began.' })
  at: string;
  @ApiProperty({ format: 'uuid' })
  tenant_id: string;
  @ApiProperty({
    nullable: true,
    type: String,
    example: 'BoT0VjF9rQ2',
    description: 'Id of the tenant key; null: the platform key.',
  })
  key_id: string | null;
  @ApiProperty({ example: 'gpt-4o' })
  model: string;
  @ApiProperty({ example: 'chat/completions' })
  operation: string;
  @ApiProperty({ enum: ['litellm', 'legacy'] })
  adapter: string;
  @ApiProperty({ example: 'openai' })
  provider: string;
  @ApiProperty({ example: 'api.openai.com' })
  host: string;
  @ApiProperty({ example: 'gpt-4o', description: 'The deployment or model addressed.' })
  target: string;
  @ApiProperty({ enum: ['tenant', 'global'], description: 'Whose key paid.' })
  source: string;
  @ApiProperty({ example: '...xyz9' })
  mask: string;
  @ApiProperty({ example: '3', nullable: true, type: String, description: 'Null: a global key.' })
  version: string | null;
  @ApiProperty({
    enum: usageOutcomes,
    description:
      'completed: the answer was passed on whole. failed: there was none; `code` says why. broken_off: it ended in a fault after it had begun. client_left: the client did not wait for its end. Of the last two the tokens are what was reported by then.',
  })
  outcome: UsageOutcome;
  @ApiProperty({ example: 200, description: 'That the client got; 499: it left before there was one.' })
  status: number;
  @ApiProperty({ nullable: true, type: String, example: null, description: 'The problem it met.' })
  code: string | null;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: 200,
    description: "Of the provider's last answer; null: it gave none.",
  })
  upstream_status: number | null;
  @ApiProperty({ example: 1, description: 'How often the request went out; 0: it was not sent.' })
  attempts: number;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: 120,
    description: 'As the provider reported; null: not.',
  })
  input_tokens: number | null;
  @ApiProperty({ nullable: true, type: Number, example: 45 })
  output_tokens: number | null;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: null,
    description: "Of the input, those read from the provider's cache.",
  })
  cached_tokens: number | null;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: 310,
    description: "To the first byte of the provider's answer.",
  })
  first_byte_ms: number | null;
  @ApiProperty({ example: 900 })
  total_ms: number;
  @ApiProperty({ example: 140, description: "Of the client's request body." })
  request_bytes: number;
  @ApiProperty({ example: 520, description: "Of the provider's answer; 0 of a refusal." })
  response_bytes: number;

  static of(record: UsageRecord): UsageRecordResponse {
    return {
      request_id: record.requestId,
      at: record.at.toISOString(),
      tenant_id: record.tenantId,
      key_id: record.tenantKeyId,
      model: record.model,
      operation: record.operation,
      adapter: record.adapter,
      provider: record.provider,
      host: record.host,
      target: record.target,
      source: record.source,
      mask: record.mask,
      version: record.version,
      outcome: record.outcome,
      status: record.status,
      code: record.code,
      upstream_status: record.upstreamStatus,
      attempts: record.attempts,
      input_tokens: record.inputTokens,
      output_tokens: record.outputTokens,
      cached_tokens: record.cachedTokens,
      first_byte_ms: record.firstByteMs,
      total_ms: record.totalMs,
      request_bytes: record.requestBytes,
      response_bytes: record.responseBytes,
    };
  }
}

export class UsageRecordPageResponse {
  @ApiProperty({ type: [UsageRecordResponse] })
  items: UsageRecordResponse[];
  @ApiProperty({ example: 1, description: 'Items on this page.' })
  count: number;
  @ApiProperty({ nullable: true, type: String, example: null, description: 'Null on the last page.' })
  next_cursor: string | null;
}
