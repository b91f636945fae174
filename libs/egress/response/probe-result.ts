import type { Destination } from '../route';
import { isKeyRefused, isNetworkRule } from './upstream-problem';

/** What a probe says of a key. Only `accepted` says that calls will work. */
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
  /** True when a call would be `credential_rejected`, by the provider's own rule. */
  readonly isRefused: boolean;
  /** One sentence for the operator, of our words alone. */
  readonly detail: string;
  /** Until the answer's head, or until the attempt failed. */
  readonly latencyMs: number;
}

/** A provider's answer to a probe, as far as it is looked at. */
export interface ProbeAnswer {
  readonly status: number;
  /** The provider's sentence; it may repeat the key and goes nowhere. */
  readonly message: string;
  /** An HTML page: no answer of an API. */
  readonly isPage: boolean;
  /** Whether the probe had a body: then a refusal of the request means that the key is accepted. */
  readonly hasBody: boolean;
}

export function resultOf(
  outcome: ProbeOutcome,
  detail: string,
  latencyMs: number,
  isRefused = false,
): ProbeResult {
  return { outcome, isRefused, detail, latencyMs };
}

export function readProbe(
  { provider, url }: Pick<Destination, 'provider' | 'url'>,
  answer: ProbeAnswer,
  latencyMs: number,
): ProbeResult {
  const said = `${provider.label} at ${url.host} answered with status ${answer.status}`;
  const result = (outcome: ProbeOutcome, meaning: string, isRefused = false) =>
    resultOf(outcome, `${said}: ${meaning}.`, latencyMs, isRefused);
  const { status } = answer;
  if (isNetworkRule(provider, answer)) {
    return result('network_rules', 'its network rules do not admit this server');
  }
  const isRefused = isKeyRefused(provider, answer);
  if (status === 403) {
    return result('forbidden', 'the key is not allowed what was asked, which costs nothing', isRefused);
  }
  if (isRefused) return result('rejected', 'it does not accept the key', true);
  // 402 where a balance is used up.
  if (status === 429 || status === 402) return result('quota', 'the limit of this key is used up');
  const isSuccess = status >= 200 && status < 300;
  if ((status >= 300 && status < 400) || status === 421 || (answer.isPage && status < 500)) {
    return result('wrong_host', 'this is not the address of its API');
  }
  if (isSuccess || (answer.hasBody && [400, 404, 422].includes(status))) {
    return result('accepted', 'it accepts the key');
  }
  if (status === 404 || status === 405) return result('wrong_host', 'this is not the address of its API');
  return result('unknown', 'this says nothing about the key');
}
