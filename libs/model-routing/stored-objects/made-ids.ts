import { type Operation } from '#providers';
import { type Fields, fieldsOf, listOf } from './json-fields';
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
 * The ids of the objects that a provider has made, in a whole response or the data of an event. They are read only from the places
 * where the provider itself writes them: the client decides what is in the arguments and the schemas of tools, and could write the id
 * of another tenant there. Sources:
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
    for (const block of [...listOf(top.content), top.content_block].map(fieldsOf)) {
      if (!endsWith(block.type, 'code_execution_tool_result')) continue;
      for (const output of listOf(fieldsOf(block.content).content).map(fieldsOf)) {
        if (endsWith(output.type, 'code_execution_output')) add('file', output.file_id);
      }
    }
    return { ids, response: undefined };
  }
  const whole = top.object === 'response' ? top : fieldsOf(top.response);
  const response = describedBy(whole);
  if (response !== undefined) {
    add('response', response.id);
    add('conversation', fieldsOf(whole.conversation).id);
  }
  for (const item of [...listOf(whole.output), top.item].map(fieldsOf)) {
    add('item', item.id);
    add('container', item.container_id);
    add('container', fieldsOf(item.environment).container_id);
    for (const part of listOf(item.content).map(fieldsOf)) {
      for (const annotation of listOf(part.annotations)) add('container', fieldsOf(annotation).container_id);
    }
  }
  // The input of a response, as the client has sent it.
  for (const item of listOf(top.data)) add('listed_item', fieldsOf(item).id);
  return { ids, response };
}

function endsWith(type: unknown, end: string): boolean {
  return typeof type === 'string' && type.endsWith(end);
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
