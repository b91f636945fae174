import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, Matches, ValidateBy } from 'class-validator';
import { adapterNames } from '#egress';
import { EventListQuery, isTime, PageResponse, uuidPattern } from '#http';
import { outcomeMeanings, type UsageOutcome, usageOutcomes, type UsageRecord } from '../usage-record.entity';
import { CallFields, tenantNameDescription } from './call-fields';
import { type RecordFilter } from './usage-report.service';

function IsCursor(): PropertyDecorator {
  const isCursor = (value: unknown) => typeof value === 'string' && decodeRecordCursor(value) !== undefined;
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

  @ApiPropertyOptional({
    example: 'BoT0VjF9rQ2',
    pattern: '^[0-9A-Za-z]{11}$',
    description: 'Only calls with the tenant key of this `id`.',
  })
  @IsOptional()
  @Matches(/^[0-9A-Za-z]{11}$/, { message: '$property must be the id of a key' })
  key_id?: string;

  @ApiPropertyOptional({
    format: 'uuid',
    description: 'Only the call with this id, which its response had in x-tenkey-request-id.',
  })
  @IsOptional()
  @Matches(uuidPattern, { message: '$property must be a UUID' })
  request_id?: string;

  @ApiPropertyOptional({ enum: ['json'], description: 'Records are JSON only. The reports have CSV too.' })
  @IsOptional()
  @IsIn(['json'], { message: '$property must be json: only the reports have CSV' })
  format?: 'json';

  @ApiPropertyOptional({ description: '`next_cursor` of the previous page.' })
  @IsOptional()
  @IsCursor()
  cursor?: string;
}

export function encodeRecordCursor({ at, requestId }: UsageRecord): string {
  return `${at.toISOString()}_${requestId}`;
}

/** @returns the time and id of a record, or undefined if the text is not a cursor */
export function decodeRecordCursor(cursor: string | undefined): RecordFilter['before'] {
  const [time = '', requestId = ''] = cursor?.split('_') ?? [];
  const isPlace = isTime(time, 'UTC in ms') && uuidPattern.test(requestId);
  return isPlace ? { at: new Date(time), requestId } : undefined;
}

const outcomeText = Object.entries(outcomeMeanings)
  .map(([outcome, meaning]) => `${outcome}: ${meaning}.`)
  .join(' ');

export class UsageRecordResponse extends CallFields {
  @ApiProperty({ nullable: true, type: String, example: 'sundsvall', description: tenantNameDescription })
  tenant_name: string | null;
  @ApiProperty({ format: 'uuid', description: 'The id in the log and in the x-tenkey-request-id header.' })
  request_id: string;
  @ApiProperty({
    nullable: true,
    type: String,
    example: 'chat-7f3a',
    description:
      "The client's id of the request, from X-Client-Request-Id or X-Request-ID; null if it sent none that is valid.",
  })
  client_request_id: string | null;
  @ApiProperty({ format: 'date-time', description: 'When the call started.' })
  at: string;
  @ApiProperty({ enum: adapterNames, enumName: 'AdapterName' })
  adapter: string;
  @ApiProperty({ example: 'api.openai.com' })
  host: string;
  @ApiProperty({ example: 'gpt-4o', description: 'The deployment or model that was addressed.' })
  target: string;
  @ApiProperty({
    enum: usageOutcomes,
    enumName: 'UsageOutcome',
    description: `${outcomeText} After the last two, the tokens are those that the provider had reported by then, or an estimate (\`is_estimated\`).`,
  })
  outcome: UsageOutcome;
  @ApiProperty({
    example: 200,
    description: 'The status that the client got; 499 if it disconnected before there was a response.',
  })
  status: number;
  @ApiProperty({ nullable: true, type: String, example: null, description: 'The code of the problem.' })
  code: string | null;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: 200,
    description: "The status of the provider's last response; null if there was none.",
  })
  upstream_status: number | null;
  @ApiProperty({ example: 1, description: 'How often the request was sent to the provider. 0: never.' })
  attempts: number;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: 120,
    description: 'As the provider reported; an estimate if `is_estimated`; null if not known.',
  })
  input_tokens: number | null;
  @ApiProperty({ nullable: true, type: Number, example: 45 })
  output_tokens: number | null;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: null,
    description: "The part of the input that was read from the provider's cache.",
  })
  cached_tokens: number | null;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: null,
    description: "The part of the input that was written to the provider's cache.",
  })
  cache_write_tokens: number | null;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: null,
    description: 'What Cohere charges for a rerank, which has no tokens.',
  })
  search_units: number | null;
  @ApiProperty({
    example: false,
    description:
      'True if the client disconnected during a stream before the provider reported its tokens. The tokens are then an estimate.',
  })
  is_estimated: boolean;
  @ApiProperty({
    nullable: true,
    type: Number,
    example: 310,
    description: "Time to the first byte of the provider's response.",
  })
  first_byte_ms: number | null;
  @ApiProperty({ example: 900 })
  total_ms: number;
  @ApiProperty({ example: 140, description: "Size of the client's request body." })
  request_bytes: number;
  @ApiProperty({ example: 520, description: "Size of the provider's response; 0 for an error." })
  response_bytes: number;

  static of(record: UsageRecord, tenantName: string | undefined): UsageRecordResponse {
    return {
      request_id: record.requestId,
      client_request_id: record.clientRequestId,
      at: record.at.toISOString(),
      tenant_id: record.tenantId,
      tenant_name: tenantName ?? null,
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
      cache_write_tokens: record.cacheWriteTokens,
      search_units: record.searchUnits,
      is_estimated: record.isEstimated,
      first_byte_ms: record.firstByteMs,
      total_ms: record.totalMs,
      request_bytes: record.requestBytes,
      response_bytes: record.responseBytes,
    };
  }
}

export class UsageRecordPageResponse extends PageResponse {
  @ApiProperty({ type: [UsageRecordResponse] })
  items: UsageRecordResponse[];
}
