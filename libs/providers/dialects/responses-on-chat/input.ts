import { type ThinkingField } from '../../provider';
import { plainOr } from '../messages-on-chat/content';
import { type Json, UnsupportedParameter } from '../translation';
import { isAbsent, requireObject, requireText, safeName } from '../values';
import { encodeContent, encodeText, textPart } from './content';
import { addReasoning, type EarlierReasoning, reasoningFields } from './reasoning';
import { chosenName, inputOfCustomTool } from './tools';

/** The messages of the provider's request, and from which part of the client's each of them was made. */
export interface EncodedInput {
  readonly messages: Json[];
  /** Paths in the client's request, such as `input[3]`. */
  readonly origins: string[];
}

/**
 * Translates instructions and input into messages.
 * @throws UnsupportedParameter
 */
export function encodeInput(
  instructions: unknown,
  input: unknown,
  field: ThinkingField | undefined,
  dropped: Set<string>,
): EncodedInput {
  const messages = new Messages(field, dropped);
  if (!isAbsent(instructions)) messages.system('instructions', requireText('instructions', instructions));
  if (typeof input === 'string') messages.user('input', [textPart(input)]);
  else {
    if (!Array.isArray(input))
      throw new UnsupportedParameter('input', 'input must be a string or a list of items.');
    input.forEach((item, index) => addItem(messages, `input[${index}]`, item, dropped));
  }
  return messages.end();
}

/** The fields of each type of item that are read, or that have no meaning for the model. */
const ignoredFields = ['type', 'id', 'status', 'phase', 'created_by', 'object'];
export const fieldsOfItems: Readonly<Record<string, readonly string[]>> = {
  message: ['role', 'content'],
  reasoning: ['summary', 'content', 'encrypted_content'],
  function_call: ['call_id', 'name', 'namespace', 'arguments'],
  function_call_output: ['call_id', 'output'],
  custom_tool_call: ['call_id', 'name', 'namespace', 'input'],
  custom_tool_call_output: ['call_id', 'output'],
};

function addItem(messages: Messages, path: string, value: unknown, dropped: Set<string>): void {
  const item = requireObject(path, value);
  const type = isAbsent(item.type) ? 'message' : requireText(`${path}.type`, item.type);
  const fields = Object.hasOwn(fieldsOfItems, type) ? fieldsOfItems[type] : undefined;
  if (fields === undefined) throw new UnsupportedParameter(`${path}.type`, refusalOf(type));
  for (const name of Object.keys(item)) {
    if (isAbsent(item[name]) || fields.includes(name) || ignoredFields.includes(name)) continue;
    dropped.add(`input[].${safeName(name)}`);
  }
  const text = (name: string) => requireText(`${path}.${name}`, item[name]);
  switch (type) {
    case 'message':
      return addMessage(messages, path, item, dropped);
    case 'reasoning':
      return messages.reasoning(path, item);
    case 'function_call':
      // Servers parse the arguments, so an empty text would be refused.
      return messages.call(path, text('call_id'), chosenName(path, item), text('arguments') || '{}');
    case 'custom_tool_call':
      return messages.call(
        path,
        text('call_id'),
        chosenName(path, item),
        JSON.stringify({ [inputOfCustomTool]: text('input') }),
      );
    default:
      return messages.output(path, text('call_id'), encodeContent(`${path}.output`, item.output, dropped));
  }
}

function addMessage(messages: Messages, path: string, { role, content }: Json, dropped: Set<string>): void {
  switch (role) {
    case 'user':
      return messages.user(path, encodeContent(`${path}.content`, content, dropped));
    case 'assistant':
      return messages.assistant(path, encodeText(`${path}.content`, content, dropped));
    case 'system':
    case 'developer':
      return messages.system(path, encodeText(`${path}.content`, content, dropped));
    default:
      throw new UnsupportedParameter(
        `${path}.role`,
        `${path}.role must be user, assistant, system or developer.`,
      );
  }
}

/** Says what to do about the types that clients send most. The type itself is the client's text. */
function refusalOf(type: string): string {
  if (type === 'item_reference') {
    return 'Tenkey keeps no items for this provider; send the item itself in place of an item_reference. Clients do that with store: false.';
  }
  return `This provider has no counterpart for items of this type; it accepts only ${Object.keys(fieldsOfItems).join(', ')}.`;
}

/** What the assistant said and called in one turn, which is one message of the provider's format. */
interface Turn {
  readonly path: string;
  readonly reasoning: EarlierReasoning;
  readonly texts: string[];
  readonly calls: Json[];
}

/**
 * Puts the messages together. The items of one turn of the assistant become one message, because results of tools must follow
 * the message with their calls. All instructions at the beginning become one system message, because many models accept only
 * one. A tool's result is only text; its images and files follow in a user message, after all results of the turn.
 */
class Messages {
  private readonly messages: Json[] = [];
  private readonly origins: string[] = [];
  private readonly instructions: string[] = [];
  private firstInstruction = 'instructions';
  private turn: Turn | undefined;
  private attachments: { readonly path: string; readonly parts: Json[] } | undefined;

  constructor(
    private readonly field: ThinkingField | undefined,
    private readonly dropped: Set<string>,
  ) {}

  system(path: string, text: string): void {
    if (this.messages.length > 0 || this.turn !== undefined) {
      this.add(path, { role: 'system', content: text });
    } else if (text !== '') {
      if (this.instructions.length === 0) this.firstInstruction = path;
      this.instructions.push(text);
    }
  }

  user(path: string, parts: Json[]): void {
    if (parts.length === 0) {
      throw new UnsupportedParameter(`${path}.content`, 'A user message must not be empty.');
    }
    this.add(path, { role: 'user', content: plainOr(parts) });
  }

  assistant(path: string, text: string): void {
    if (text !== '') this.turnAt(path).texts.push(text);
  }

  reasoning(path: string, item: Json): void {
    addReasoning(path, item, this.field, this.turnAt(path).reasoning, this.dropped);
  }

  call(path: string, id: string, name: string, json: string): void {
    const { calls, reasoning } = this.turnAt(path);
    calls.push({ id, type: 'function', function: { name, arguments: json }, ...reasoning.ofNextCall });
    reasoning.ofNextCall = undefined;
  }

  output(path: string, id: string, parts: Json[]): void {
    this.endTurn();
    const texts = parts.filter(({ type }) => type === 'text').map(({ text }) => text);
    const others = parts.filter(({ type }) => type !== 'text');
    this.push(path, { role: 'tool', tool_call_id: id, content: texts.join('\n') });
    if (others.length === 0) return;
    this.attachments ??= { path: `${path}.output`, parts: [] };
    this.attachments.parts.push(textPart(`From the result of tool call ${id}:`), ...others);
  }

  end(): EncodedInput {
    this.endTurn();
    this.endResults();
    if (this.instructions.length > 0) {
      this.messages.unshift({ role: 'system', content: this.instructions.join('\n\n') });
      this.origins.unshift(this.firstInstruction);
    }
    if (this.messages.length === 0) {
      throw new UnsupportedParameter('input', 'input must contain at least one message.');
    }
    return { messages: this.messages, origins: this.origins };
  }

  private turnAt(path: string): Turn {
    this.endResults();
    this.turn ??= {
      path,
      reasoning: { texts: [], blocks: [], ofNextCall: undefined },
      texts: [],
      calls: [],
    };
    return this.turn;
  }

  /** Reasoning without anything that followed it has no place in the provider's format. */
  private endTurn(): void {
    if (this.turn === undefined) return;
    const { path, reasoning, texts, calls } = this.turn;
    this.turn = undefined;
    if (texts.length === 0 && calls.length === 0) return;
    this.push(path, {
      role: 'assistant',
      content: texts.length === 0 ? null : texts.join('\n\n'),
      ...reasoningFields(reasoning, this.field),
      ...(calls.length > 0 && { tool_calls: calls }),
    });
  }

  private endResults(): void {
    if (this.attachments === undefined) return;
    const { path, parts } = this.attachments;
    this.attachments = undefined;
    this.push(path, { role: 'user', content: parts });
  }

  private add(path: string, message: Json): void {
    this.endTurn();
    this.endResults();
    this.push(path, message);
  }

  private push(path: string, message: Json): void {
    this.messages.push(message);
    this.origins.push(path);
  }
}
