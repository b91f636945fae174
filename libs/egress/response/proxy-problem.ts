import { Problem, type ProblemCode } from '#http';
import { type ProxyError } from '../connection/proxy-tunnel';

interface Failure {
  /** `OpenAI at api.openai.com` */
  readonly place: string;
  /** What happened, for a subject that is the provider or the proxy. */
  readonly reason: string;
  readonly code: ProblemCode;
  /** Only logged. */
  readonly cause: Error;
}

/** The Problem for a connection that failed at the proxy or behind it. It must not look like a fault of the provider or of the key. */
export function problemOfProxy(
  { proxy, target, stage, status }: ProxyError,
  { place, reason, code, cause }: Failure,
): Problem {
  const name = `The proxy ${proxy.place}, which ${proxy.variable} names,`;
  const around = `or list the host in NO_PROXY, if it can be reached without the proxy`;
  const problem = (detail: string, hint: string) =>
    new Problem(code, { detail, hint: `An operator can ${hint}.`, cause });
  if (status === 407) {
    const is = proxy.authorization === undefined ? 'asks for a' : 'does not accept the';
    return problem(
      `${name} ${is} user name and password.`,
      `set ${proxy.variable} to http://user:password@${proxy.place}`,
    );
  }
  if (status !== undefined) {
    const detail = `${name} did not connect to ${target}: it responded with status ${status}.`;
    return status >= 500
      ? problem(detail, `find the reason in the log of the proxy, ${around}`)
      : problem(detail, `allow CONNECT to ${target} in the proxy, ${around}`);
  }
  if (stage === 'handshake') {
    return problem(
      `${place}, through the proxy ${proxy.place}, ${reason}.`,
      'name the authority of the certificate in NODE_EXTRA_CA_CERTS, if the proxy opens TLS connections',
    );
  }
  if (stage === 'connect' && code === 'upstream_timeout') {
    return problem(
      `${name} did not connect to ${target} in time.`,
      `find the reason in the log of the proxy, ${around}`,
    );
  }
  return problem(`${name} ${reason}.`, `set ${proxy.variable} to a proxy that Tenkey can reach`);
}
