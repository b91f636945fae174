// What the answers of all APIs have in common: their types, and the parts that they are made of.

/** One request as the provider saw it. */
export interface ProviderRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: string;
  /** The parsed body, or undefined when it is not JSON. */
  readonly body: any;
  /** The fields of a form. A file is given as its name, type and size in bytes. */
  readonly form?: Readonly<Record<string, unknown>>;
  /** From `authorization: Bearer`, `api-key` or `x-api-key`. */
  readonly key: string | undefined;
  /** Whether the connection was closed before the response was complete. */
  aborted: boolean;
}

export type DialectOfPath = 'openai' | 'azure' | 'anthropic';

/** A whole response (a `Buffer` is sent as it is), or the parts of a stream of events. */
export type ProviderAnswer =
  { readonly status: number; readonly body: unknown; readonly type?: string } | { readonly events: string[] };

export function dialectOf(path: string): DialectOfPath {
  if (/\/openai\/(deployments|v1)\//.test(path)) return 'azure';
  return /\/messages(\/|$)/.test(path) ? 'anthropic' : 'openai';
}

export function errorBody(dialect: DialectOfPath, status: number, message: string): unknown {
  if (dialect === 'anthropic') {
    const type = status === 401 ? 'authentication_error' : 'invalid_request_error';
    return { type: 'error', error: { type, message }, request_id: 'req_test' };
  }
  if (dialect === 'azure') return { error: { code: String(status), message } };
  const code = status === 401 ? 'invalid_api_key' : null;
  return { error: { message, type: 'invalid_request_error', param: null, code } };
}

export const whole = (body: unknown): ProviderAnswer => ({ status: 200, body });

/** The text of the response. It is JSON when the request has a schema. */
export function answerTo(content: unknown, wantsJson = false): string {
  const text = `echo: ${textOf(content)}`;
  return wantsJson ? JSON.stringify({ answer: text }) : text;
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: { text?: string; content?: unknown }) => part.text ?? textOf(part.content))
    .join('');
}

export const words = (text: string) => text.split(/(?<= )/);

export const data = (fields: object) => `data: ${JSON.stringify(fields)}\n\n`;
export const named = (event: string, fields: object) => `event: ${event}\n${data(fields)}`;
