import { type Config } from '#config';
import { removeKeyShapes } from '#crypto';
import { type RequestBody, type Route } from '#egress';
import { jsonOf, Problem } from '#http';
import {
  AmbiguousModel,
  type Json,
  type RequestDifferences,
  spliceRequest,
  TooManyParameters,
  type Translation,
  UnsupportedParameter,
} from '#providers';
import { type MultipartForm, noModel } from './multipart-form';

/** The body of a JSON operation. */
export function parseRequest(body: Buffer): Json {
  const parsed = jsonOf(body);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Json;
  throw new Problem('malformed_request', { detail: 'The body must be a JSON object.' });
}

/** The model that a request names. */
export function modelNameOf(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw noModel();
}

/** What is sent to the provider. */
export interface EncodedRequest {
  readonly body: RequestBody;
  readonly dropped: string[];
  /** The provider is asked for the usage of a stream, and the client did not ask. */
  readonly asksForUsage: boolean;
}

/** The request as the provider takes it: translated where it must be, then with the provider's own differences. */
export function encodedJson(
  route: Route,
  bytes: Buffer,
  request: Json,
  translation: Translation | undefined,
  { streamUsage, strictParams }: Config,
): EncodedRequest {
  const { provider, upstreamOperation, credential } = route;
  try {
    const translated = translation?.encode(request, route.target);
    const spliced = spliceRequest(translated ? Buffer.from(JSON.stringify(translated.body)) : bytes, {
      model: route.target,
      differences: differencesOf(route),
      hasUsageOption:
        streamUsage && provider.hasUsageOption?.(upstreamOperation, credential.settings, request) === true,
    });
    const dropped = shownNames([
      ...(translated?.dropped ?? []),
      ...spliced.dropped
        .filter((name) => translation?.added.includes(name) !== true)
        .map((name) => translation?.clientName(name) ?? name),
    ]);
    if (dropped.length > 0 && strictParams) throw parameterNotSupported(route, dropped);
    const body = { contentType: 'application/json', content: spliced.body };
    return { body, dropped, asksForUsage: spliced.isUsageOptionAdded };
  } catch (error) {
    if (error instanceof AmbiguousModel) {
      throw new Problem('malformed_request', { detail: 'The body names model twice.', param: 'model' });
    }
    if (error instanceof TooManyParameters) throw new Problem('malformed_request', { detail: error.message });
    if (!(error instanceof UnsupportedParameter)) throw error;
    throw new Problem('parameter_not_supported', {
      detail: `${error.message} No call was made.`,
      param: shownNames([error.param])[0],
    });
  }
}

/** The form as the provider takes it. What is left out of it is known when it was read, so `dropped` may grow. */
export function encodedForm(route: Route, form: MultipartForm, { strictParams }: Config): EncodedRequest {
  const dropped: string[] = [];
  const onDropped = (name: string) => {
    dropped.push(...shownNames([name]));
    if (strictParams) throw parameterNotSupported(route, dropped);
  };
  const body = form.withModel(route.target, differencesOf(route), onDropped);
  return { body, dropped, asksForUsage: false };
}

const MOST_NAMES = 50;
const LONGEST_NAME = 64;

/** Names come from the client and may hold anything; headers, errors and logs may not. */
function shownNames(names: readonly string[]): string[] {
  const shown = names.map((name) =>
    removeKeyShapes(name)
      .slice(0, LONGEST_NAME)
      .replace(/[^\w.[\]-]/g, '_'),
  );
  return [...new Set(shown)].slice(0, MOST_NAMES);
}

function differencesOf(route: Route): RequestDifferences {
  return route.provider.differences?.[route.upstreamOperation] ?? {};
}

function parameterNotSupported(route: Route, dropped: readonly string[]): Problem {
  const [param] = dropped;
  return new Problem('parameter_not_supported', {
    // Not their names: they are the client's text. The first is in `param`.
    detail: `${route.provider.label} does not have ${dropped.length === 1 ? 'a parameter' : `${dropped.length} parameters`} of the request. No call was made.`,
    hint: 'Leave them out, or set STRICT_PARAMS=false to have them left out and named in x-tenkey-dropped-params.',
    param,
  });
}
