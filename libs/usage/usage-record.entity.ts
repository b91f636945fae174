import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type CredentialSource, type Route } from '#egress';
import { type ProblemCode } from '#http';

/** The outcomes of a call. The API documentation quotes the texts. */
export const outcomeMeanings = {
  completed: 'the whole response was passed on',
  failed: 'there was no response, and `code` gives the reason',
  broken_off: 'the response broke off, and `code` gives the reason',
  client_left: 'the client disconnected before the end of the response',
} as const;
export type UsageOutcome = keyof typeof outcomeMeanings;
export const usageOutcomes = Object.keys(outcomeMeanings) as UsageOutcome[];

/** Reads a bigint as a number: the counts here stay far below 2^53. */
const count = { from: (text: string | null) => (text === null ? null : Number(text)), to: (n: unknown) => n };

/**
 * One call for which a route was decided: whose key it was to use, its outcome and its usage. A record is written once and
 * never changed.
 */
@Entity({ name: 'usage_records' })
export class UsageRecord {
  /** The id in the x-tenkey-request-id header of the response. */
  @PrimaryColumn('uuid', { name: 'request_id' })
  requestId: string;

  /** The client's own id of the request; null if it sent none, or one that Tenkey ignores. */
  @Column('text', { name: 'client_request_id', nullable: true })
  clientRequestId: string | null;

  /** When the call started. */
  @Column('timestamptz')
  at: Date;

  @Column('uuid', { name: 'tenant_id' })
  tenantId: string;

  /** Id of the tenant key; null for the platform key, and for a call of code in the same process. */
  @Column('text', { name: 'key_id', nullable: true })
  tenantKeyId: string | null;

  @Column('text')
  model: string;

  @Column('text')
  operation: Route['operation'];

  @Column('text')
  adapter: Route['adapter'];

  @Column('text')
  provider: string;

  @Column('text')
  host: string;

  @Column('text')
  target: string;

  @Column('text')
  source: CredentialSource;

  @Column('text')
  mask: string;

  /** Version of the tenant's credential; null for a global key. */
  @Column('bigint', { nullable: true })
  version: string | null;

  @Column('text')
  outcome: UsageOutcome;

  /** The status that the client got; 499 if it disconnected before there was a response. */
  @Column('integer')
  status: number;

  @Column('text', { nullable: true })
  code: ProblemCode | null;

  /** The status of the provider's last response; null if there was none. */
  @Column('integer', { name: 'upstream_status', nullable: true })
  upstreamStatus: number | null;

  /** How often the request was sent to the provider. */
  @Column('integer')
  attempts: number;

  /** As the provider reported; null if it did not. If the call was not completed, what was reported by then, or an estimate. */
  @Column('bigint', { name: 'input_tokens', nullable: true, transformer: count })
  inputTokens: number | null;

  @Column('bigint', { name: 'output_tokens', nullable: true, transformer: count })
  outputTokens: number | null;

  /** The part of the input that was read from the provider's cache. */
  @Column('bigint', { name: 'cached_tokens', nullable: true, transformer: count })
  cachedTokens: number | null;

  /** The part of the input that the provider wrote to its cache, which some charge more for. */
  @Column('bigint', { name: 'cache_write_tokens', nullable: true, transformer: count })
  cacheWriteTokens: number | null;

  /** What Cohere charges for a rerank; null if the provider reported none. */
  @Column('bigint', { name: 'search_units', nullable: true, transformer: count })
  searchUnits: number | null;

  /** True when the client left a stream before its usage was reported, and the tokens are estimated. */
  @Column('boolean', { name: 'is_estimated' })
  isEstimated: boolean;

  /** From the start of the call to the first byte of the body of a success; null if there was none. */
  @Column('integer', { name: 'first_byte_ms', nullable: true })
  firstByteMs: number | null;

  @Column('integer', { name: 'total_ms' })
  totalMs: number;

  /** Size of the client's request body. */
  @Column('bigint', { name: 'request_bytes', transformer: count })
  requestBytes: number;

  /** Size of the provider's response, as far as it arrived; 0 for an error. */
  @Column('bigint', { name: 'response_bytes', transformer: count })
  responseBytes: number;
}
