import { type IncomingHttpHeaders } from 'node:http';
import { Problem } from '#http';
import { type Member, modelHeaders } from '#providers';
import { type JsonRequest } from './json-request';
import { safeNames } from './safe-names';

/** The parameters by which the documented APIs call further models, for the text of the problem. */
const documented: ReadonlySet<string> = new Set([
  // OpenRouter and other gateways: https://openrouter.ai/docs/guides/routing/model-fallbacks, .../features/presets, .../plugins
  ...['models', 'route', 'preset', 'plugins', 'fallbacks', 'fallback_models', 'context_window_fallbacks'],
  ...['content_policy_fallbacks', 'router_settings_override', 'extra_body'],
  // The tool image_generation of OpenAI and the tool advisor of Anthropic have a `model`.
  'tools',
  // https://docs.together.ai/reference/chat-completions-1
  'safety_model',
  // https://console.groq.com/docs/compound
  'compound_custom',
  // Azure, On Your Data: the deployment that embeds
  'data_sources',
]);

/** Any of them may name a model: APIs add parameters all the time. */
const nameOfModels = /model|fallback|deployment/i;
/** Of a request as a whole; in a tool they may mean anything. */
const nameOfRoutes = /^(route|preset)$/i;
/** Whether the bytes of a parameter can have such a name, also behind escapes. */
const mayNameModels = /model|fallback|deployment|route|preset|\\u/i;

/** What they hold is content, a schema, or the client's own notes. */
const contents: ReadonlySet<string> = new Set([
  ...['messages', 'input', 'prompt', 'system', 'instructions', 'documents', 'query', 'prediction'],
  ...['metadata', 'litellm_metadata', 'chat_template_kwargs'],
  ...[
    'functions',
    'response_format',
    'text',
    'output_config',
    'output_format',
    'guided_json',
    'structured_outputs',
  ],
]);
/** The parts of a tool in which the client chooses the names (https://json-schema.org/draft/2020-12). */
const schemas: ReadonlySet<string> = new Set([
  ...['properties', 'patternProperties', '$defs', 'definitions', 'dependentRequired', 'dependentSchemas'],
  ...['input_examples', 'examples', 'example', 'default', 'const', 'enum', 'headers'],
]);

const brace = 0x7b;
const bracket = 0x5b;
const quote = 0x22;

/**
 * Refuses a request that lets its provider call another model than the one it names: for a key that is limited to some models.
 * Only a parameter whose bytes can name a model is built.
 * @throws Problem forbidden, malformed_request
 */
export function refuseFurtherModels(
  request: JsonRequest | undefined,
  headers: IncomingHttpHeaders = {},
): void {
  const header = modelHeaders.find((name) => headers[name] !== undefined);
  if (header !== undefined) throw forbidden(header, `The header ${header}`);
  for (const member of request?.members ?? []) {
    const first = request!.bytes[member.valueStart];
    // Numbers, booleans and null name nothing.
    if (member.name === 'model' || (first !== brace && first !== bracket && first !== quote)) continue;
    const isName = nameOfModels.test(member.name) || nameOfRoutes.test(member.name);
    if (!isName && (first === quote || contents.has(member.name) || !mayNameModelsIn(request!, member)))
      continue;
    const value = request!.value(member);
    const path =
      isName && isGiven(value) ? member.name : pathIn(value, member.name, isExtraBody(member.name));
    if (path !== undefined) throw forbiddenParameter(path, member.name);
  }
}

/** The same for a field of a form. */
export function refuseFieldOfFurtherModels(name: string, value: string): void {
  const plain = name.replace(/\[.*$/s, '');
  if (plain === 'model' || value === '') return;
  if (nameOfModels.test(plain) || nameOfRoutes.test(plain)) throw forbiddenParameter(name, plain);
}

function mayNameModelsIn({ bytes }: JsonRequest, { valueStart, valueEnd }: Member): boolean {
  return mayNameModels.test(bytes.toString('latin1', valueStart, valueEnd));
}

/** Clients of OpenAI's SDK for Python name further parameters so, and some gateways read them there. */
function isExtraBody(name: string): boolean {
  return name.toLowerCase() === 'extra_body';
}

/**
 * The place of the first name of a model in a value, such as `tools[0].model`. The depth of a request is limited.
 * @param isRequest true when the members of the value are parameters
 */
function pathIn(value: unknown, path: string, isRequest = false): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const isList = Array.isArray(value);
  for (const [name, each] of Object.entries(value)) {
    if (!isList && (schemas.has(name) || (isRequest && contents.has(name)))) continue;
    const place = isList ? `${path}[${name}]` : `${path}.${name}`;
    const isName = !isList && (nameOfModels.test(name) || (isRequest && nameOfRoutes.test(name)));
    const found = isName && isGiven(each) ? place : pathIn(each, place);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isGiven(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function forbiddenParameter(path: string, parameter: string): Problem {
  // The name is the client's text, so the sentence has it only if it is a known one.
  const subject = documented.has(parameter) ? `The parameter ${parameter}` : 'A parameter of the request';
  return forbidden(safeNames([path])[0], subject);
}

function forbidden(param: string | undefined, subject: string): Problem {
  return new Problem('forbidden', {
    detail: `${subject} names another model, and this key is limited to some models.`,
    hint: 'Leave it out: such a key may call only the model in `model`.',
    param,
  });
}
