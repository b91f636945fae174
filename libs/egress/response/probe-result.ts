import type { Destination } from '../route';
import { type UpstreamError } from '../upstream-error';
import { isKeyRefused, isQuotaExhausted, isRefusedByNetworkRules } from './upstream-problem';

/** What a probe shows about a key. Only `accepted` means that calls will work. */
export const probeOutcomes = [
  'accepted',
  'rejected',
  'forbidden',
  'quota',
  'wrong_host',
  'network_rules',
  'unreachable',
  'unknown',
] as const;
export type ProbeOutcome = (typeof probeOutcomes)[number];

export interface ProbeResult {
  readonly outcome: ProbeOutcome;
  /** True if a call would fail with `credential_rejected`, by the provider's own rule. */
  readonly isRefused: boolean;
  /** One sentence for the operator, without any text from the provider. */
  readonly detail: string;
  /** Until the head of the response arrived, or until the attempt failed. */
  readonly latencyMs: number;
}

/** The parts of a response to a probe that decide its outcome. */
export interface ProbeResponse {
  readonly status: number;
  /** It may repeat the key, so it is only compared and never passed on. */
  readonly error: UpstreamError;
  /** True for an HTML page, which is not the response of an API. */
  readonly isPage: boolean;
  /** Whether the probe had a body. If it had, a 400, 404 or 422 shows that the key was accepted. */
  readonly hasBody: boolean;
}

export function probeResult(
  outcome: ProbeOutcome,
  detail: string,
  latencyMs: number,
  isRefused = false,
): ProbeResult {
  return { outcome, isRefused, detail, latencyMs };
}

export function interpretProbeResponse(
  { provider, url }: Pick<Destination, 'provider' | 'url'>,
  response: ProbeResponse,
  latencyMs: number,
): ProbeResult {
  const { status, error } = response;
  const received = { status, message: error.message };
  const place = `${provider.label} at ${url.host}`;
  const result = (outcome: ProbeOutcome, meaning: string, isRefused = false) =>
    probeResult(outcome, `${place} responded with status ${status}: ${meaning}.`, latencyMs, isRefused);
  if (isRefusedByNetworkRules(provider, received)) {
    return result('network_rules', 'its network rules do not admit this server');
  }
  if (status === 429 || isQuotaExhausted(status, error)) {
    return result('quota', 'the limit of this key is used up');
  }
  const isRefused = isKeyRefused(provider, received);
  if (status === 403) {
    return result('forbidden', 'the key has no permission for the free request that verifies it', isRefused);
  }
  if (isRefused) return result('rejected', 'it does not accept the key', true);
  const isSuccess = status >= 200 && status < 300;
  if ((status >= 300 && status < 400) || status === 421 || (response.isPage && status < 500)) {
    return result('wrong_host', 'this is not the address of its API');
  }
  if (isSuccess || (response.hasBody && [400, 404, 422].includes(status))) {
    return result('accepted', 'it accepts the key');
  }
  if (status === 404 || status === 405) return result('wrong_host', 'this is not the address of its API');
  return result('unknown', 'this says nothing about the key');
}
