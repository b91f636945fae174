/** What a provider reports as an error: in the body of an error, in place of a result, or in an event. Nothing in it is cleaned. */
export interface UpstreamError {
  readonly message: string;
  readonly code: Scalar | undefined;
  readonly type: Scalar | undefined;
  readonly param: Scalar | undefined;
  /** The HTTP status that the error itself names, 400 to 599. */
  readonly status: number | undefined;
  /** Azure's second code, which names its content filter where `code` may be a general one. */
  readonly innerCode: Scalar | undefined;
  /** What the content filter found, as Azure reports it. */
  readonly filterResult: unknown;
}

type Scalar = string | number;

export const noError: UpstreamError = {
  message: '',
  code: undefined,
  type: undefined,
  param: undefined,
  status: undefined,
  innerCode: undefined,
  filterResult: undefined,
};

/** The error in a body of any dialect. A text that is not JSON is its message. */
export function upstreamErrorIn(body: string): UpstreamError {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    // An HTML page tells the client nothing.
    return body.trimStart().startsWith('<') ? noError : { ...noError, message: body };
  }
  return upstreamErrorOf(json);
}

/**
 * `error` or the first of `errors`, else the fields of the object itself. The message is `error.message`, `message`, `detail`,
 * or the text itself.
 */
export function upstreamErrorOf(json: unknown): UpstreamError {
  // Some providers wrap the error in a list.
  const top = fieldsOf(Array.isArray(json) ? json[0] : json);
  const error = top.error ?? (Array.isArray(top.errors) ? (top.errors as unknown[])[0] : top.errors);
  const inner = fieldsOf(error);
  const { message, detail } = top;
  const text = [inner.message, error, message, detail, json].find((each) => typeof each === 'string');
  const isObject = typeof error === 'object' && error !== null;
  const of = isObject ? inner : top;
  const [code, type, param] = [of.code, of.type, of.param].map(scalarOf);
  const filterResult = filterResultOf(inner) ?? filterResultOf(top);
  return {
    message: typeof text === 'string' ? text : fieldMessagesIn(detail ?? message),
    // A body that is a completion, stopped by the filter before it began, has no error of its own.
    code: code ?? (isStoppedByFilter(top) ? 'content_filter' : undefined),
    type,
    param,
    status: [code, inner.status, inner.status_code, inner.http_status].map(statusOf).find(Boolean),
    innerCode: scalarOf(fieldsOf(inner.innererror ?? inner.inner_error).code),
    filterResult,
  };
}

/** FastAPI's list of faulty fields: `[{ loc: ['body', 'model'], msg: 'Field required' }]`. */
function fieldMessagesIn(detail: unknown): string {
  const list = Array.isArray(detail) ? detail : fieldsOf(detail).detail;
  if (!Array.isArray(list)) return '';
  const texts = list.map(fieldsOf).map(({ loc, msg }) => {
    const names = Array.isArray(loc) ? loc.map(scalarOf) : [];
    const place = names.filter((name) => name !== undefined && name !== 'body').join('.');
    return typeof msg === 'string' ? `${place}${place === '' ? '' : ': '}${msg}` : '';
  });
  return texts.filter((text) => text !== '').join('; ');
}

const filterNames = ['content_filter_result', 'content_filter_results', 'contentFilter'] as const;

/** Azure has had several names and places for it. */
function filterResultOf(fields: Fields): unknown {
  const choice = Array.isArray(fields.choices) ? (fields.choices as unknown[])[0] : undefined;
  const places = [fields.innererror, fields.inner_error, fields, choice].map(fieldsOf);
  return places
    .flatMap((place) => filterNames.map((name) => place[name]))
    .find((each) => typeof each === 'object' && each !== null);
}

function isStoppedByFilter({ choices }: Fields): boolean {
  return (
    Array.isArray(choices) && choices.some((choice) => fieldsOf(choice).finish_reason === 'content_filter')
  );
}

/** A provider may send anything; an object could not even be turned into text. */
function scalarOf(value: unknown): Scalar | undefined {
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

/** Whether a member that reports an error does: some providers send an empty one with each success. */
export function isPresent(error: unknown): boolean {
  if (typeof error === 'object' && error !== null) return Object.keys(error).length > 0;
  return error !== undefined && error !== null && error !== false && error !== '';
}

function statusOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number >= 400 && number < 600 ? number : undefined;
}

type Fields = Record<string, unknown>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
