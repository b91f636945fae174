import { Interrupted, Refusal } from '../command-line';
import { type Connection } from './connection';
import { connectionFaultOf } from './connection-fault';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Readonly<Record<string, string | number | undefined>>;

interface Content {
  readonly query?: Query;
  readonly body?: object;
  /** Statuses other than 2xx whose body is an answer and not a problem. */
  readonly alsoStatus?: readonly number[];
}

/** A body in the format of RFC 9457, as libs/http renders it. */
interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly errors?: readonly { readonly message?: string }[];
}

/** Tenkey refused the request, and says why. */
export class RefusedRequest extends Refusal {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Tenkey could not do what was requested, for example because its database is unavailable. */
export class FailedRequest extends Error {}

/** Every response of Tenkey has it, and no response of another server or of a proxy. */
const markOfTenkey = 'x-tenkey-request-id';

/** More than any response of the API; what another server sends does not fill the memory. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;

/**
 * The HTTP client of the commands that speak to a running Tenkey.
 *
 * This is the only file outside libs/egress that opens outgoing connections. libs/egress is for calls to providers: it opens a
 * tenant's credential, and allows or refuses addresses that tenants choose. This client runs in a process that has no credential, and
 * speaks only to Tenkey itself, at the address that the person at the command line gives. It never speaks to a provider.
 */
export class Client {
  constructor(
    private readonly connection: Connection,
    /** Aborted by Ctrl-C. */
    readonly stop: AbortSignal,
  ) {}

  /**
   * @param path the absolute path of a route of Tenkey
   * @returns the parsed body; undefined if the response has none
   * @throws RefusedRequest or FailedRequest for a problem, Interrupted after Ctrl-C, and any other Error when Tenkey was not reached
   */
  async send(
    method: Method,
    path: string,
    { query = {}, body, alsoStatus = [] }: Content = {},
  ): Promise<unknown> {
    if (this.stop.aborted) throw new Interrupted('nothing more was requested.');
    const url = this.urlOf(path, query);
    const timeout = AbortSignal.timeout(this.connection.timeoutMs);
    try {
      const response = await fetch(url, {
        method,
        // A redirect is never followed: the key would go to an address that nobody gave.
        redirect: 'manual',
        signal: AbortSignal.any([timeout, this.stop]),
        headers: {
          'x-api-key': this.connection.key,
          accept: 'application/json',
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
      refuseRedirect(response);
      const isTenkey = response.headers.has(markOfTenkey);
      if (!isTenkey) {
        throw new NotTenkey(
          `the response has the status ${response.status} and is not from Tenkey. Check the address in --url or TENKEY_URL, and the proxy in front of Tenkey`,
        );
      }
      const parsed = parsedBody(await textOf(response));
      if (response.ok || alsoStatus.includes(response.status)) return parsed;
      throw this.problem(response.status, parsed as ProblemBody | undefined);
    } catch (error) {
      throw this.described(error, method, url, timeout);
    }
  }

  /** A path with `..` in it, or anything else that the parser of URLs would change, must not lead to another route. */
  private urlOf(path: string, query: Query): URL {
    const url = new URL(this.connection.url);
    url.pathname = `${url.pathname}${path.slice(1)}`;
    if (!url.pathname.endsWith(path)) throw new Error('the path of the request is not valid');
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return url;
  }

  private problem(status: number, body: ProblemBody | undefined): RefusedRequest | FailedRequest {
    const {
      code = 'none',
      detail = `Tenkey responded with status ${status}.`,
      hint,
      errors = [],
    } = body ?? {};
    const faults = errors.map(({ message = '' }) => `  - ${message}`);
    // The list of errors follows here.
    const title = errors.length > 0 ? detail.replace(/; see errors\.$/, ':') : detail;
    const hints = new Map([
      // The hint of the API is about the header, which this client sends.
      ['unauthenticated', `The key that was refused came from ${this.connection.keySource}.`],
      ['route_not_found', 'Check the address, and that Tenkey has the version of this command line.'],
    ]);
    const fix = hints.get(code) ?? hint;
    const message = [title, ...faults, ...(fix === undefined ? [] : [fix])].join('\n');
    return status >= 500 ? new FailedRequest(message) : new RefusedRequest(code, message);
  }

  private described(error: unknown, method: Method, url: URL, timeout: AbortSignal): unknown {
    if (error instanceof RefusedRequest || error instanceof FailedRequest) return error;
    const unsure =
      method === 'GET' ? '' : ' What was requested may have been done: look before you repeat the command.';
    if (this.stop.aborted) return new Interrupted(`the request was given up.${unsure}`);
    if (error instanceof NotTenkey) return new Error(`${url.origin}: ${error.message}.${unsure}`);
    if (timeout.aborted) {
      const seconds = this.connection.timeoutMs / 1000;
      return new Error(
        `${url.origin} did not respond within ${seconds} s. --timeout allows a request more time.${unsure}`,
      );
    }
    const { sentence, mayBeSent } = connectionFaultOf(error);
    return new Error(`${url.origin} cannot be reached: ${sentence}.${mayBeSent ? unsure : ''}`, {
      cause: error,
    });
  }
}

/** The response is not what Tenkey would send. */
class NotTenkey extends Error {}

function refuseRedirect(response: Response): void {
  if (response.status < 300 || response.status > 399) return;
  const target = response.headers.get('location') ?? '';
  const origin = URL.canParse(target) ? ` to ${new URL(target).origin}` : '';
  throw new NotTenkey(
    `the request is redirected${origin}. Redirects are not followed, so that the key goes nowhere else. Give the address of Tenkey itself with --url or TENKEY_URL`,
  );
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > MAXIMUM_BYTES) throw new NotTenkey('the response is too large to be from Tenkey');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

function parsedBody(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // The error of the parser would repeat a part of the text.
    throw new NotTenkey('the response is not JSON. Check the address in --url or TENKEY_URL');
  }
}
