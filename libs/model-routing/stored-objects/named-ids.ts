import { type Json, NameWatch, type Operation } from '#providers';
import { type Fields, fieldsOf, listOf } from './json-fields';
import { type ObjectId, type ObjectKind } from './kinds';

/** An id that a request names. */
export interface NamedId extends ObjectId {
  /** The field that names it. It holds no text of the client. */
  readonly param: string;
  /**
   * True when the request also has the content of the object. The id may then be unknown, because clients repeat what another
   * server or they themselves made. False: the provider looks the object up by its id.
   */
  readonly hasContent: boolean;
}

/** How a member names stored objects. */
interface Rule {
  readonly kind: ObjectKind;
  /** Whether its value may be an id or a list of ids. */
  readonly isId: boolean;
  /** Whether its value may be an object with an `id`. */
  readonly hasId: boolean;
  /** True when the id may be one that no response had, and must only not belong to another tenant. */
  readonly mayBeNew?: boolean;
}

const id = (kind: ObjectKind): Rule => ({ kind, isId: true, hasId: false });
const newId = (kind: ObjectKind): Rule => ({ ...id(kind), mayBeNew: true });
const objectWithId = (kind: ObjectKind): Rule => ({ kind, isId: false, hasId: true });
const either = (kind: ObjectKind): Rule => ({ kind, isId: true, hasId: true });

/**
 * The members that name stored objects, wherever they are in a request. Sources: the reference of each API, and the types of the
 * openai and @anthropic-ai/sdk clients.
 * - https://platform.openai.com/docs/api-reference/responses/create and .../chat/create, .../audio/createSpeech (voices)
 * - https://docs.anthropic.com/en/api/messages, .../build-with-claude/files and .../agents-and-tools/agent-skills (`container`)
 * - https://docs.x.ai/docs/guides/tools/collections-search-tool (`collection_ids`)
 * - https://docs.vllm.ai/en/latest/serving/openai_compatible_server (`request_id`)
 * - https://ai.google.dev/gemini-api/docs/openai (`cached_content`), https://docs.mistral.ai/capabilities/document_ai (`file_id`)
 */
const rules: ReadonlyMap<string, Rule> = new Map([
  ['previous_response_id', id('response')],
  ['conversation', either('conversation')],
  ['prompt', objectWithId('prompt')],
  ['file_id', id('file')],
  ['file_ids', id('file')],
  ['vector_store_id', id('vector_store')],
  ['vector_store_ids', id('vector_store')],
  ['collection_ids', id('vector_store')],
  ['container', either('container')],
  ['container_id', id('container')],
  ['skill_id', id('skill')],
  ['audio', objectWithId('audio')],
  ['voice', objectWithId('voice')],
  // What it approves must be in the context of the request, whose other ids are checked.
  ['approval_request_id', newId('item')],
  // With vLLM, a client may choose the id of the response, which would replace another one with this id.
  ['request_id', newId('response')],
  ['cached_content', id('cache')],
  // The JSON of Protocol Buffers has both forms of a name: https://protobuf.dev/programming-guides/json
  ['cachedContent', id('cache')],
  ['tunnel_id', id('tunnel')],
]);
/** It names an item in the `input` of a response, and nothing elsewhere. */
const itemId = 'id';
/** They name something in this operation only; elsewhere they are texts. */
const ofResponsesOnly = [itemId, 'prompt', 'conversation', 'request_id'];

/** The client decides what is in them: labels, and the schemas of its tools. */
const freeForm: ReadonlySet<string> = new Set(['metadata', 'parameters', 'schema', 'input_schema']);
/** What is in them repeats an earlier response. Its ids say where a text came from, and the provider looks nothing up for them. */
const quoting: ReadonlySet<string> = new Set(['annotations', 'citations', 'results']);
/** Members that hold the content of an item of a response. */
const contentNames = [
  'content',
  'arguments',
  'input',
  'output',
  'action',
  'operation',
  'code',
  'result',
  'tools',
  'approve',
];

/** For the scan of a request. */
export const watchedNames = new NameWatch([itemId, ...rules.keys()]);
const bitsOfResponses = watchedNames.bitsOf([itemId, ...rules.keys()]);
const bitsOfOthers = watchedNames.bitsOf([...rules.keys()].filter((name) => !ofResponsesOnly.includes(name)));
const audioBit = watchedNames.bitsOf(['audio']);

/** Whether a request with these watched names may name a stored object. */
export function mayNameObjects(operation: Operation, watched: number): boolean {
  return (watched & (operation === 'responses' ? bitsOfResponses : bitsOfOthers)) !== 0;
}

/** Whether a chat may make audio that the provider keeps: it must then have the parameter `audio`. */
export function asksForAudio(watched: number): boolean {
  return (watched & audioBit) !== 0;
}

/** Every id that a request names, in its order. */
export function namedIds(operation: Operation, request: Json): NamedId[] {
  const found: NamedId[] = [];
  const isResponse = operation === 'responses';
  collect(request, isResponse, false, found);
  if (!isResponse) return found;
  for (const [index, item] of listOf(request.input).map(fieldsOf).entries()) {
    if (typeof item.id !== 'string') continue;
    found.push({ kind: 'item', id: item.id, param: `input[${index}].id`, hasContent: hasContent(item) });
  }
  return found;
}

/** Whether a field of a form names a stored object: a form has no structure, so every field with such a name does. */
export function namesObject(field: string): boolean {
  return field.split(/[[\]]+/).some((part) => {
    const { isId, mayBeNew = false } = rules.get(part) ?? {};
    return isId === true && !mayBeNew;
  });
}

/** Recursive: the scan has refused what is nested too deeply. */
function collect(value: unknown, isResponse: boolean, isQuoted: boolean, found: NamedId[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const each of value) collect(each, isResponse, isQuoted, found);
    return;
  }
  const fields = value as Fields;
  for (const [name, member] of Object.entries(fields)) {
    if (freeForm.has(name) || (name === 'input' && !isResponse && isToolUse(fields))) continue;
    const rule = isResponse || !ofResponsesOnly.includes(name) ? rules.get(name) : undefined;
    // Anthropic's own skills, such as pptx, belong to nobody.
    const isPublic = name === 'skill_id' && fields.type === 'anthropic';
    if (rule !== undefined && !isPublic) addIds(rule, name, member, isQuoted, found);
    collect(member, isResponse, isQuoted || quoting.has(name), found);
  }
}

function addIds(
  { kind, isId, hasId, mayBeNew = false }: Rule,
  name: string,
  value: unknown,
  isQuoted: boolean,
  found: NamedId[],
): void {
  const hasContent = isQuoted || mayBeNew;
  if (isId) {
    for (const each of [value].flat(Infinity)) {
      if (typeof each === 'string') found.push({ kind, id: each, param: name, hasContent });
    }
  }
  const { id: named } = hasId ? fieldsOf(value) : {};
  if (typeof named === 'string') found.push({ kind, id: named, param: `${name}.id`, hasContent });
}

/** The arguments of a call to the client's tool, in Anthropic's format. */
function isToolUse({ type }: Fields): boolean {
  return typeof type === 'string' && type.endsWith('tool_use');
}

/**
 * Whether an item has its content. OpenAI completes an item without content from what it has stored: the reasoning of a model, an
 * image, the passages that a search found.
 */
function hasContent(item: Fields): boolean {
  const has = (...names: string[]) => names.some((name) => isFilled(item[name]));
  switch (item.type ?? undefined) {
    case 'item_reference':
      return false;
    case undefined:
      return typeof item.role === 'string' && has('content');
    case 'reasoning':
    case 'compaction':
      return has('encrypted_content', 'content');
    case 'image_generation_call':
      return has('result');
    case 'file_search_call':
      return has('results');
    default:
      return has(...contentNames);
  }
}

function isFilled(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null;
}
