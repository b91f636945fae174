import { type Config } from '#config';
import { type RequestBody, type Route } from '#egress';
import { Problem } from '#http';
import {
  AmbiguousModel,
  concernMessages,
  type Json,
  jsonText,
  neverNull,
  type RequestDifferences,
  spliceRequest,
  type Translation,
  UnsupportedParameter,
} from '#providers';
import { namesObject } from '../stored-objects/named-ids';
import { objectNotFound } from '../stored-objects/stored-objects.service';
import { type JsonRequest } from './json-request';
import { refuseFieldOfFurtherModels } from './further-models';
import { type MultipartForm, noModel } from './multipart-form';
import { safeNames } from './safe-names';

/**
 * The name of the requested model.
 * @throws Problem validation_failed
 */
export function modelNameOf(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name;
  throw noModel();
}

/** Compares only the name, so that a key cannot find out which other models exist. */
export function refuseOtherModels(name: string, allowed: readonly string[] | undefined): void {
  if (allowed === undefined || allowed.includes(name)) return;
  throw new Problem('forbidden', {
    detail: 'The allowed models of this key do not include this model.',
    hint: 'GET /v1/models lists the models that it may call.',
    param: 'model',
  });
}

/** The request as it is sent to the provider. */
export interface EncodedRequest {
  readonly body: RequestBody;
  /** Names of the parameters that were left out. */
  readonly dropped: string[];
  /** True when Tenkey requests the usage of a stream and the client did not. */
  readonly hasAddedUsageOption: boolean;
  /** What the translation of the response needs to know of the request. */
  readonly forResponse: Json;
}

/**
 * Encodes a JSON request for the provider: translates it if necessary, then applies the provider's differences.
 * @param mayLackModel true when something else than the request has named the model
 * @throws Problem malformed_request, parameter_not_supported
 */
export function encodedJson(
  route: Route,
  request: JsonRequest,
  translation: Translation | undefined,
  { streamUsage, strictParams }: Config,
  mayLackModel: boolean,
): EncodedRequest {
  const { provider, upstreamOperation, credential } = route;
  try {
    const differences = differencesOf(route);
    if (concernMessages(differences)) requireFewMessages(request);
    const translated = translation?.encode(request.tree, route.target, differences);
    const edits = {
      model: route.target,
      mayLackModel,
      differences,
      neverNull: neverNull[upstreamOperation],
      hasUsageOption: () =>
        streamUsage &&
        provider.hasUsageOption?.(upstreamOperation, credential.settings, () => request.tree) === true,
    };
    const spliced = translated
      ? spliceRequest(Buffer.from(jsonText(translated.body)), edits)
      : spliceRequest(request.bytes, edits, request.members);
    const dropped = safeNames(
      translated && translation
        ? [...translated.dropped, ...clientNames(spliced.dropped, translation)]
        : spliced.dropped,
    );
    if (dropped.length > 0 && strictParams) throw parameterNotSupported(route, dropped);
    const body = { contentType: 'application/json', content: spliced.parts };
    const forResponse = translated?.forResponse ?? {};
    return { body, dropped, hasAddedUsageOption: spliced.isUsageOptionAdded, forResponse };
  } catch (error) {
    if (error instanceof AmbiguousModel) {
      throw new Problem('malformed_request', {
        detail: 'The body has model twice. Send it once.',
        param: 'model',
      });
    }
    if (!(error instanceof UnsupportedParameter)) throw error;
    throw new Problem('parameter_not_supported', {
      detail: `${error.message} No call was made.`,
      param: safeNames([error.param])[0],
    });
  }
}

/** The differences of a provider take time for each value in the messages. */
function requireFewMessages(request: JsonRequest): void {
  for (const member of request.members) if (member.name === 'messages') request.requireFewValues(member);
}

/** The client's names of parameters of the translated request, without those that the client did not send. */
function clientNames(names: readonly string[], translation: Translation): string[] {
  return names
    .filter((name) => !translation.added.includes(name))
    .map((name) => translation.clientName(name));
}

/**
 * Encodes a form for the provider. `dropped` grows while the form is read.
 * @param isLimited true when no field may name a further model
 */
export function encodedForm(
  route: Route,
  form: MultipartForm,
  { strictParams, foreignObjects }: Config,
  isLimited: boolean,
): EncodedRequest {
  const dropped: string[] = [];
  const onDropped = (name: string) => {
    dropped.push(...safeNames([name]));
    if (strictParams) throw parameterNotSupported(route, dropped);
  };
  const check = (name: string, value: string) => {
    // No response hands out what a form could name.
    if (foreignObjects === 'refuse' && namesObject(name)) throw objectNotFound(safeNames([name])[0]);
    if (isLimited) refuseFieldOfFurtherModels(name, value);
  };
  const body = form.withModel(route.target, differencesOf(route), onDropped, check);
  return { body, dropped, hasAddedUsageOption: false, forResponse: {} };
}

function differencesOf({ provider, operation, upstreamOperation, credential }: Route): RequestDifferences {
  const isTranslated = operation !== upstreamOperation;
  const special = provider.differencesFor?.(upstreamOperation, credential.settings, isTranslated);
  return special ?? provider.differences?.[upstreamOperation] ?? {};
}

export function parameterNotSupported(route: Route, dropped: readonly string[]): Problem {
  const [param] = dropped;
  return new Problem('parameter_not_supported', {
    // The detail does not repeat the names, which are the client's text. `param` holds the first of them.
    detail: `${route.provider.label} does not have ${dropped.length === 1 ? 'a parameter' : `${dropped.length} parameters`} of the request. No call was made.`,
    hint: 'Leave them out, or set STRICT_PARAMS=false: Tenkey then leaves them out and names them in x-tenkey-dropped-params.',
    param,
  });
}
