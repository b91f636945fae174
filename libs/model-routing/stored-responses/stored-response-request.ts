import { type Route } from '#egress';
import { type StoredResponseOperation, urlBelow } from '#providers';

/** How an operation on a stored response is requested from a provider. */
interface Form {
  readonly method?: Route['method'];
  /** Below the path of the response. */
  readonly path: readonly string[];
  /** The query parameters that are passed on. */
  readonly parameters: RegExp;
}

const nothing = /(?!)/;
/** https://platform.openai.com/docs/api-reference/responses; lists are `include[]=` in some clients and `include=` in others. */
const forms: Readonly<Record<StoredResponseOperation, Form>> = {
  'responses/get': {
    method: 'GET',
    path: [],
    parameters: /^(?:include(?:\[\d*\])?|stream|starting_after|include_obfuscation)$/,
  },
  'responses/delete': { method: 'DELETE', path: [], parameters: nothing },
  'responses/cancel': { path: ['cancel'], parameters: nothing },
  'responses/input_items': {
    method: 'GET',
    path: ['input_items'],
    parameters: /^(?:include(?:\[\d*\])?|limit|order|after|before)$/,
  },
};

/** What a client asks about a stored response. */
export interface StoredResponseRequest {
  readonly operation: StoredResponseOperation;
  readonly id: string;
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** The names of the parameters that are left out. */
  readonly dropped: readonly string[];
}

/** @param query as the HTTP server has parsed it */
export function storedResponseRequest(
  operation: StoredResponseOperation,
  id: string,
  query: Readonly<Record<string, unknown>>,
): StoredResponseRequest {
  const given = Object.entries(query);
  const isPassed = ([name]: (typeof given)[number]) => forms[operation].parameters.test(name);
  const parameters = given
    .filter(isPassed)
    .flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)] as const));
  return {
    operation,
    id,
    parameters,
    dropped: given.filter((each) => !isPassed(each)).map(([name]) => name),
  };
}

/** @param route of the operation `responses` */
export function routeToResponse(route: Route, { operation, id, parameters }: StoredResponseRequest): Route {
  const { method, path } = forms[operation];
  const url = urlBelow(route.url, [id, ...path]);
  // Azure's address has its API version in the query.
  url.search = route.url.search;
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return Object.freeze(Object.assign({}, route, { operation, method, url }));
}
