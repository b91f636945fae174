import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type CredentialSource, type Route } from '#egress';
import { type ProblemCode } from '#http';
import { type Operation } from '#providers';

/**
 * How a call ended. `completed`: the answer was passed on whole. `failed`: there was none, `code` says why. `broken_off`: it
 * ended in a fault after it had begun. `client_left`: the client did not wait for its end.
 */
export const usageOutcomes = ['completed', 'failed', 'broken_off', 'client_left'] as const;
export type UsageOutcome = (typeof usageOutcomes)[number];

/** bigint as a number: what is counted here stays far below 2^53. */
const count = { from: (text: string | null) => (text === null ? null : Number(text)), to: (n: unknown) => n };

/** One call that was decided on, to be sent: whose key it was to use, what became of it, what it used. Written once, never changed. */
@Entity({ name: 'usage_records' })
export class UsageRecord {
  /** The x-tenkey-request-id of the call. */
  @PrimaryColumn('uuid', { name: 'request_id' })
  requestId: string;

  /** When it began. */
  @Column('timestamptz')
  at: Date;

  @Column('uuid', { name: 'tenant_id' })
  tenantId: string;

  /** The tenant key that asked; null: the platform key, or code in the same process. */
  @Column('text', { name: 'key_id', nullable: true })
  tenantKeyId: string | null;

  @Column('text')
  model: string;

  @Column('text')
  operation: Operation;

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

  /** Of the tenant's credential; null for a global key. */
  @Column('bigint', { nullable: true })
  version: string | null;

  @Column('text')
  outcome: UsageOutcome;

  /** That the client got; 499 when it left before there was one. */
  @Column('integer')
  status: number;

  @Column('text', { nullable: true })
  code: ProblemCode | null;

  /** Of the provider's last answer; null: it gave none. */
  @Column('integer', { name: 'upstream_status', nullable: true })
  upstreamStatus: number | null;

  /** How often the request went out to the provider. */
  @Column('integer')
  attempts: number;

  /** As the provider reported; null: not. Of a call that did not complete, what it had reported by then. */
  @Column('bigint', { name: 'input_tokens', nullable: true, transformer: count })
  inputTokens: number | null;

  @Column('bigint', { name: 'output_tokens', nullable: true, transformer: count })
  outputTokens: number | null;

  /** Of the input, those read from the provider's cache. */
  @Column('bigint', { name: 'cached_tokens', nullable: true, transformer: count })
  cachedTokens: number | null;

  /** From the call's begin to the first byte of the provider's answer; null: there was none. */
  @Column('integer', { name: 'first_byte_ms', nullable: true })
  firstByteMs: number | null;

  @Column('integer', { name: 'total_ms' })
  totalMs: number;

  /** Of the client's request body. */
  @Column('bigint', { name: 'request_bytes', transformer: count })
  requestBytes: number;

  /** Of the provider's answer, as far as it came; 0 of a refusal. */
  @Column('bigint', { name: 'response_bytes', transformer: count })
  responseBytes: number;
}
