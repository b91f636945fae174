import { type Json, UnsupportedParameter } from '../translation';
import {
  isAbsent,
  isObject,
  parsedArguments,
  requireList,
  requireObject,
  requireText,
  safeName,
} from '../values';
import { encodeContent } from './content';

/** Fields of a response's message that clients send back. They have no meaning for the model. */
const ignoredFields = new Set(['annotations', 'reasoning_content', 'reasoning', 'provider_specific_fields']);
/** Fields with content that has no counterpart. */
const refusedFields = new Set(['audio', 'function_call']);

/**
 * Makes `system` and `messages` of Anthropic's request. System and developer messages are moved to the front, as in
 * https://platform.claude.com/docs/en/api/openai-sdk. The results of tools and the user message that follows them become
 * one user message, because Anthropic requires all results of a turn in one message.
 *
 * @throws UnsupportedParameter
 */
export function encodeMessages(
  value: unknown,
  dropped: Set<string>,
): { system?: string | Json[]; messages: Json[] } {
  const system: { text?: string; blocks: Json[] }[] = [];
  const messages: Json[] = [];
  const turn = new ResultsOfTurn(messages);
  requireList('messages', value).forEach((item, index) => {
    const path = `messages[${index}]`;
    const message = requireObject(path, item);
    checkFields(path, message, dropped);
    const content = () => encodeContent(`${path}.content`, message.content, dropped);
    switch (message.role) {
      case 'system':
      case 'developer':
        system.push({
          ...(typeof message.content === 'string' && { text: message.content }),
          blocks: textOnly(`${path}.content`, content()),
        });
        return;
      case 'tool':
        turn.add(encodeResult(path, message, content()));
        return;
      case 'user': {
        const blocks = content();
        if (!turn.addContent(blocks))
          messages.push({ role: 'user', content: plainOr(message.content, notEmpty(path, blocks)) });
        return;
      }
      case 'assistant': {
        const blocks = encodeAssistant(path, message, dropped);
        if (blocks.length > 0)
          messages.push({ role: 'assistant', content: plainOr(message.content, blocks) });
        turn.end();
        return;
      }
      default:
        throw new UnsupportedParameter(
          `${path}.role`,
          'This provider accepts only the roles system, developer, user, assistant and tool.',
        );
    }
  });
  if (messages.length === 0) {
    throw new UnsupportedParameter('messages', 'This provider requires at least one user message.');
  }
  trimLast(messages);
  return { ...encodeSystem(system), messages };
}

/** Anthropic refuses a request whose last message, the beginning of the answer, ends with blanks. */
function trimLast(messages: Json[]): void {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return;
  if (typeof last.content === 'string') last.content = last.content.trimEnd();
  const block: unknown = Array.isArray(last.content) ? last.content.at(-1) : undefined;
  if (isObject(block) && typeof block.text === 'string') block.text = block.text.trimEnd();
}

/**
 * The user message with the results of a turn. They come before everything else in it, and directly after the message with
 * their calls, because Anthropic refuses any other order.
 */
class ResultsOfTurn {
  private start: number | undefined;
  private content: Json[] | undefined;
  private count = 0;
  private isOpen = false;

  constructor(private readonly messages: Json[]) {}

  add(result: Json): void {
    if (this.content === undefined) {
      this.content = [];
      this.count = 0;
      const start = this.start ?? this.messages.length;
      this.isOpen = start === this.messages.length;
      this.messages.splice(start, 0, { role: 'user', content: this.content });
    }
    this.content.splice(this.count, 0, result);
    this.count += 1;
  }

  /** @returns false when the content does not follow results, so it is a message of its own */
  addContent(blocks: Json[]): boolean {
    if (!this.isOpen) return false;
    this.content?.push(...blocks);
    this.isOpen = false;
    return true;
  }

  /** Called after a message of the assistant. */
  end(): void {
    this.start = this.messages.length;
    this.content = undefined;
    this.isOpen = false;
  }
}

/** A single message that was a string remains a string. Otherwise each message keeps its blocks. */
function encodeSystem(system: { text?: string; blocks: Json[] }[]): { system?: string | Json[] } {
  const blocks = system.flatMap((message) => message.blocks);
  const [first] = system;
  if (blocks.length === 0) return {};
  return { system: system.length === 1 && first?.text !== undefined ? first.text : blocks };
}

/** Keeps content that was a string as a string, if it is the only block. */
function plainOr(content: unknown, blocks: Json[]): string | Json[] {
  return typeof content === 'string' && blocks.length === 1 && blocks[0]?.text === content ? content : blocks;
}

function notEmpty(path: string, blocks: Json[]): Json[] {
  if (blocks.length > 0) return blocks;
  throw new UnsupportedParameter(`${path}.content`, 'This provider does not accept an empty user message.');
}

function textOnly(path: string, blocks: Json[]): Json[] {
  if (blocks.every(({ type }) => type === 'text')) return blocks;
  throw new UnsupportedParameter(path, 'This provider accepts only text in a system message.');
}

function encodeResult(path: string, message: Json, blocks: Json[]): Json {
  return {
    type: 'tool_result',
    tool_use_id: anthropicToolId(requireText(`${path}.tool_call_id`, message.tool_call_id)),
    ...(blocks.length > 0 && { content: plainOr(message.content, blocks) }),
  };
}

/** Thinking is first, because Anthropic checks its signature and its position. */
function encodeAssistant(path: string, message: Json, dropped: Set<string>): Json[] {
  const { content, refusal, tool_calls: calls, thinking_blocks: thinking } = message;
  const texts = isAbsent(content) ? [] : encodeContent(`${path}.content`, content, dropped);
  return [
    ...(isAbsent(thinking) ? [] : encodeThinking(`${path}.thinking_blocks`, thinking)),
    ...texts,
    ...(isAbsent(refusal)
      ? []
      : encodeContent(`${path}.refusal`, requireText(`${path}.refusal`, refusal), dropped)),
    ...(isAbsent(calls) ? [] : requireList(`${path}.tool_calls`, calls)).map((call, index) =>
      encodeCall(`${path}.tool_calls[${index}]`, call),
    ),
  ];
}

/** Takes thinking blocks that response.ts made. A block without a signature is left out, because Anthropic would refuse it. */
function encodeThinking(path: string, value: unknown): Json[] {
  return requireList(path, value).flatMap((item, index): Json[] => {
    const block = requireObject(`${path}[${index}]`, item);
    const field = (name: string) => requireText(`${path}[${index}].${name}`, block[name]);
    if (block.type === 'redacted_thinking') return [{ type: 'redacted_thinking', data: field('data') }];
    if (block.type === 'thinking') {
      if (isAbsent(block.signature) || block.signature === '') return [];
      return [{ type: 'thinking', thinking: field('thinking'), signature: field('signature') }];
    }
    throw new UnsupportedParameter(
      `${path}[${index}].type`,
      'A thinking block must be of type thinking or redacted_thinking.',
    );
  });
}

function encodeCall(path: string, value: unknown): Json {
  const call = requireObject(path, value);
  if (call.type !== 'function' && !isAbsent(call.type)) {
    throw new UnsupportedParameter(`${path}.type`, 'This provider accepts only calls of functions.');
  }
  const { name, arguments: json } = requireObject(`${path}.function`, call.function);
  const text = isAbsent(json) ? '' : requireText(`${path}.function.arguments`, json);
  const input = text.trim() === '' ? {} : parsedArguments(text);
  if (input === undefined) {
    throw new UnsupportedParameter(
      `${path}.function.arguments`,
      'For this provider, the arguments of a call must be a JSON object in a string.',
    );
  }
  return {
    type: 'tool_use',
    id: anthropicToolId(requireText(`${path}.id`, call.id)),
    name: requireText(`${path}.function.name`, name),
    input,
  };
}

/**
 * Anthropic accepts only ids that match ^[a-zA-Z0-9_-]+$, but other providers make ids such as `functions.weather:0`.
 * Other characters are replaced by their code, so that different ids stay different and results still match their calls.
 */
function anthropicToolId(id: string): string {
  return id.replaceAll(/[^\w-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`);
}

const knownFields: ReadonlyMap<unknown, ReadonlySet<string>> = new Map([
  ['assistant', new Set(['role', 'content', 'refusal', 'tool_calls', 'thinking_blocks'])],
  ['tool', new Set(['role', 'content', 'tool_call_id'])],
]);
const fieldsOfOthers: ReadonlySet<string> = new Set(['role', 'content']);

function checkFields(path: string, message: Json, dropped: Set<string>): void {
  const known = knownFields.get(message.role) ?? fieldsOfOthers;
  for (const [field, value] of Object.entries(message)) {
    if (isAbsent(value) || known.has(field) || ignoredFields.has(field)) continue;
    if (refusedFields.has(field)) {
      throw new UnsupportedParameter(
        `${path}.${field}`,
        'This provider has no counterpart for this content.',
      );
    }
    dropped.add(`messages[].${safeName(field)}`);
  }
}
