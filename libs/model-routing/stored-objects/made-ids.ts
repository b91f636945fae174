import { type Operation } from '#providers';
import { type ObjectId } from './kinds';

/** What a response, or one event of a stream, says about stored objects. */
export interface Made {
  readonly ids: readonly ObjectId[];
  /** The response that it describes; undefined in all other operations, and in events of a part of a response. */
  readonly response: DescribedResponse | undefined;
}

/** A response as the Responses API describes it. */
export interface DescribedResponse {
  readonly id: string;
  /** False when the provider says that it keeps nothing. */
  readonly isStored: boolean;
  /** Its items live as long as its conversation. */
  readonly isInConversation: boolean;
  /** It is made in the background, and has not ended. */
  readonly isPending: boolean;
  /** It has ended, and says how many tokens it used. */
  readonly hasUsage: boolean;
}

/** An event that makes a stored object contains one of these texts. Other events are not parsed. */
const markers: Readonly<Partial<Record<Operation, readonly Buffer[]>>> = {
  responses: [Buffer.from('"id"'), Buffer.from('container_id')],
  messages: [Buffer.from('"container"'), Buffer.from('code_execution_output')],
  'chat/completions': [Buffer.from('"audio"')],
};

/** Whether the bytes of a response may make stored objects. */
export function mayMakeObjects(operation: Operation, bytes: Buffer): boolean {
  return markers[operation]?.some((marker) => bytes.includes(marker)) === true;
}

/**
 * The ids of the objects that a provider has made, in a whole response or the data of an event.
 * - https://platform.openai.com/docs/api-reference/responses/object and .../responses-streaming
 * - https://platform.openai.com/docs/api-reference/chat/object (`audio`)
 * - https://docs.anthropic.com/en/api/messages (`container`, and files that code has written)
 */
export function madeIn(operation: Operation, json: unknown): Made {
  const ids: ObjectId[] = [];
  const add = (kind: ObjectId['kind'], id: unknown) => {
    if (typeof id === 'string' && id !== '') ids.push({ kind, id });
  };
  const top = fieldsOf(json);
  if (operation === 'chat/completions') {
    for (const choice of listOf(top.choices).map(fieldsOf)) {
      for (const part of [choice.message, choice.delta]) add('audio', fieldsOf(fieldsOf(part).audio).id);
    }
    return { ids, response: undefined };
  }
  if (operation === 'messages') {
    for (const part of [top, top.message, top.delta]) add('container', fieldsOf(fieldsOf(part).container).id);
    eachObject(json, (fields) => {
      const isFile = typeof fields.type === 'string' && fields.type.endsWith('code_execution_output');
      if (isFile) add('file', fields.file_id);
    });
    return { ids, response: undefined };
  }
  const whole = top.object === 'response' ? top : fieldsOf(top.response);
  const response = describedBy(whole);
  if (response !== undefined) {
    add('response', response.id);
    add('conversation', fieldsOf(whole.conversation).id);
  }
  // The items of the response, of an event, or of a list of items.
  const items = [...listOf(whole.output), top.item, ...listOf(top.data)];
  for (const item of items) add('item', fieldsOf(item).id);
  for (const item of items) eachObject(item, ({ container_id: id }) => add('container', id));
  return { ids, response };
}

const ended: readonly unknown[] = ['completed', 'incomplete', 'failed', 'cancelled'];

function describedBy({
  id,
  store,
  conversation,
  background,
  status,
  usage,
}: Fields): DescribedResponse | undefined {
  if (typeof id !== 'string') return undefined;
  return {
    id,
    isStored: store !== false,
    isInConversation: typeof fieldsOf(conversation).id === 'string',
    isPending: !ended.includes(status) && (background === true || status === 'queued'),
    hasUsage: ended.includes(status) && typeof usage === 'object' && usage !== null,
  };
}

/** Calls the function with the value and every object in it. */
function eachObject(value: unknown, visit: (fields: Fields) => void): void {
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const each = waiting.pop();
    if (typeof each !== 'object' || each === null) continue;
    if (!Array.isArray(each)) visit(each as Fields);
    for (const inner of Object.values(each)) if (typeof inner === 'object') waiting.push(inner);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
