import { type IncomingHttpHeaders } from 'node:http';
import { Problem } from '#http';
import {
  endOfScalar,
  endOfString,
  type Member,
  modelHeaders,
  skipWhitespace,
  textOf,
  wordsOf,
} from '#providers';
import { type JsonRequest } from './json-request';
import { safeNames } from './safe-names';

/** The parameters by which the documented APIs call further models, for the text of the problem. */
const documented: ReadonlySet<string> = new Set([
  // OpenRouter and other gateways: https://openrouter.ai/docs/guides/routing/model-fallbacks, .../features/presets, .../plugins
  ...['models', 'route', 'preset', 'plugins', 'fallbacks', 'fallback_models', 'context_window_fallbacks'],
  ...['content_policy_fallbacks', 'router_settings_override', 'extra_body'],
  // OpenAI's tool image_generation and Anthropic's tool advisor have a `model`, and so has OpenAI's `moderation`. Both APIs
  // read further tools from the conversation: `additional_tools`, `tool_addition`.
  ...['tools', 'moderation', 'input', 'messages'],
  // https://docs.together.ai/reference/chat-completions-1
  'safety_model',
  // https://console.groq.com/docs/compound
  'compound_custom',
  // Azure, On Your Data: the deployment that embeds
  'data_sources',
]);

/** Any of them may name a model: APIs add parameters all the time. */
const nameOfModels = /model|fallback|deployment/i;
/** Names that stand for models only at the top level of a request; in a tool they may mean anything. */
const nameOfRoutes = /^(route|preset)$/i;
/** Whether the bytes of a parameter can have such a name; a letter may be written as an escape. */
const mayNameModels = /model|fallback|deployment|route|preset|\\u00[4-7]/i;

/** What they hold is content, a schema, or the client's own notes. */
const contents: ReadonlySet<string> = new Set([
  ...['prompt', 'system', 'instructions', 'documents', 'query', 'prediction', 'metadata', 'litellm_metadata'],
  ...['functions', 'response_format', 'text', 'output_config', 'output_format', 'guided_json'],
  ...['structured_outputs', 'chat_template_kwargs'],
]);
/** They hold content too, and may bring tools with it. */
const conversations: ReadonlySet<string> = new Set(['input', 'messages']);
const toolsOfConversations: ReadonlySet<string> = new Set(['tools', 'tool', 'tool_changes']);
const mayBringTools = ['"tools"', '"tool"', '"tool_changes"', '\\u00'];
/** The parts of a tool in which the client chooses the names (https://json-schema.org/draft/2020-12). */
const schemas: ReadonlySet<string> = new Set([
  ...['properties', 'patternProperties', '$defs', 'definitions', 'dependentRequired', 'dependentSchemas'],
  ...['input_examples', 'examples', 'example', 'default', 'const', 'enum', 'headers'],
]);

const quote = 0x22;
const comma = 0x2c;
const bracket = 0x5b;
const closingBracket = 0x5d;
const brace = 0x7b;
const closingBrace = 0x7d;

/**
 * Refuses a request that lets its provider call another model than the one it names: for a key or a tenant that is limited to some
 * models.
 * Nothing is built for it, and only a parameter whose bytes can name a model is walked through.
 * @throws Problem forbidden, malformed_request
 */
export function refuseFurtherModels(
  request: JsonRequest | undefined,
  headers: IncomingHttpHeaders = {},
): void {
  const header = modelHeaders.find((name) => headers[name] !== undefined);
  if (header !== undefined) throw forbidden(header, `The header ${header}`);
  for (const member of request?.members ?? []) {
    const path = member.name === 'model' ? undefined : pathInMember(request!, member);
    if (path !== undefined) throw forbiddenParameter(path, member.name);
  }
}

/** The same for a field of a form. */
export function refuseFieldOfFurtherModels(name: string, value: string): void {
  const plain = name.replace(/\[.*$/s, '');
  if (plain === 'model' || value === '') return;
  if (nameOfModels.test(plain) || nameOfRoutes.test(plain)) throw forbiddenParameter(name, plain);
}

/** The place of the first name of a model in a parameter, such as `tools[0].model`. */
function pathInMember(request: JsonRequest, member: Member): string | undefined {
  const { bytes } = request;
  const { name, valueStart, valueEnd } = member;
  if ((nameOfModels.test(name) || nameOfRoutes.test(name)) && isGiven(bytes, valueStart)) return name;
  const first = bytes[valueStart];
  if ((first !== brace && first !== bracket) || contents.has(name)) return undefined;
  const isConversation = conversations.has(name);
  const value = bytes.subarray(valueStart, valueEnd);
  const isSuspect = isConversation
    ? mayBringTools.some((text) => value.includes(text))
    : mayNameModels.test(value.toString('latin1'));
  if (!isSuspect) return undefined;
  request.requireFewValues(member);
  // Clients of OpenAI's SDK for Python know `extra_body`, and some gateways read it.
  const start = isConversation ? 'conversation' : name.toLowerCase() === 'extra_body' ? 'request' : 'tool';
  return new Walk(bytes).find(valueStart, name, start);
}

/** What the members of an object are: parameters, the parts of a tool, of a conversation, or nothing that matters. */
type Place = 'request' | 'tool' | 'conversation' | 'nowhere';

/**
 * Walks through a value of a request that was scanned, so it is valid and not nested too deeply. A member that occurs twice is
 * seen twice, because providers differ in which of the two they read.
 */
class Walk {
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  readonly #path: (string | number)[] = [];
  #found: string | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#words = wordsOf(bytes);
  }

  find(start: number, name: string, place: Place): string | undefined {
    this.#value(start, place);
    return this.#found === undefined ? undefined : name + this.#found;
  }

  /** @returns the position after the value */
  #value(start: number, place: Place): number {
    const bytes = this.#bytes;
    const isObject = bytes[start] === brace;
    if (!isObject && bytes[start] !== bracket) return endOfScalar(bytes, start, this.#words);
    const closing = isObject ? closingBrace : closingBracket;
    let at = skipWhitespace(bytes, start + 1);
    for (let index = 0; bytes[at] !== closing; index += 1) {
      let inner = place;
      let name: string | number = index;
      if (isObject) {
        const end = endOfString(bytes, at, this.#words);
        name = textOf(bytes, at, end);
        at = skipWhitespace(bytes, skipWhitespace(bytes, end) + 1);
        inner = placeOf(name, place);
      }
      this.#path.push(name);
      if (isObject && this.#found === undefined && this.#names(name as string, place, at))
        this.#found = this.#place();
      at = skipWhitespace(bytes, this.#value(at, inner));
      this.#path.pop();
      if (bytes[at] === comma) at = skipWhitespace(bytes, at + 1);
    }
    return at + 1;
  }

  #names(name: string, place: Place, valueStart: number): boolean {
    const isName =
      place === 'request'
        ? nameOfModels.test(name) || nameOfRoutes.test(name)
        : place === 'tool' && nameOfModels.test(name);
    return isName && !schemas.has(name) && isGiven(this.#bytes, valueStart);
  }

  #place(): string {
    return this.#path.map((each) => (typeof each === 'number' ? `[${each}]` : `.${each}`)).join('');
  }
}

/** What the members of a member's value are. */
function placeOf(name: string, place: Place): Place {
  if (place === 'nowhere') return place;
  if (place === 'conversation') {
    if (toolsOfConversations.has(name)) return 'tool';
    return name === 'content' ? place : 'nowhere';
  }
  if (schemas.has(name) || (place === 'request' && contents.has(name))) return 'nowhere';
  return place === 'request' && conversations.has(name) ? 'conversation' : 'tool';
}

/** Numbers, booleans, null and what is empty name nothing. */
function isGiven(bytes: Buffer, start: number): boolean {
  const first = bytes[start];
  const next = bytes[first === quote ? start + 1 : skipWhitespace(bytes, start + 1)];
  if (first === quote) return next !== quote;
  return (first === bracket && next !== closingBracket) || (first === brace && next !== closingBrace);
}

function forbiddenParameter(path: string, parameter: string): Problem {
  // The name is the client's text, so the sentence has it only if it is a known one.
  const subject = documented.has(parameter) ? `The parameter ${parameter}` : 'A parameter of the request';
  return forbidden(safeNames([path])[0], subject);
}

function forbidden(param: string | undefined, subject: string): Problem {
  return new Problem('forbidden', {
    detail: `${subject} names another model, and this key or its tenant is limited to some models.`,
    hint: 'Leave it out: only the model in `model` may be called.',
    param,
  });
}
