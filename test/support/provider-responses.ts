import { randomBytes } from 'node:crypto';
import {
  answerTo,
  data,
  errorBody,
  named,
  type ProviderAnswer,
  type ProviderRequest,
  whole,
  words,
} from './answer-parts';

/** What one account has stored: https://platform.openai.com/docs/api-reference/responses and .../conversations. */
class Account {
  readonly responses = new Map<string, StoredAnswer>();
  readonly items = new Map<string, any>();
  readonly conversations = new Map<string, any[]>();
  readonly containers = new Set<string>();
}

interface StoredAnswer {
  readonly body: any;
  /** The response when it is complete. */
  readonly complete: any;
  readonly input: readonly any[];
  /** The status that each GET of a response in the background returns, in this order. */
  readonly statuses: string[];
}

export const newId = (prefix: string) => `${prefix}_${randomBytes(16).toString('hex')}`;
const isOver = (status: string) => ['completed', 'cancelled', 'failed', 'incomplete'].includes(status);

/** The part of a provider that keeps responses, for each key apart. */
export class ProviderMemory {
  readonly #accounts = new Map<string, Account>();

  /** What OpenAI's API does with its stored objects. */
  answer(request: ProviderRequest): ProviderAnswer | undefined {
    const path = /\/(responses|conversations)(?:\/([^/]+))?(?:\/(cancel|input_items))?$/.exec(request.path);
    if (path === null) return undefined;
    const [, api, id, part] = path;
    const account = this.#of(request.key ?? '');
    if (api === 'conversations') {
      const conversation = newId('conv');
      account.conversations.set(conversation, []);
      return whole({ id: conversation, object: 'conversation', created_at: 1_700_000_000, metadata: {} });
    }
    if (id === undefined) return request.method === 'POST' ? create(account, request.body) : undefined;
    const stored = account.responses.get(decodeURIComponent(id));
    if (stored === undefined) return notFound(`Response with id '${id}' not found.`);
    if (part === 'input_items') return whole(pageOf(stored.input, request.query));
    if (request.method === 'DELETE') {
      account.responses.delete(stored.complete.id);
      return whole({ id: stored.complete.id, object: 'response', deleted: true });
    }
    if (part === 'cancel') {
      if (stored.body.background !== true) return refusal('Cannot cancel a synchronous response.');
      if (!isOver(stored.statuses[0] ?? '')) stored.statuses.splice(0, Infinity, 'cancelled');
      return whole(at('cancelled', stored.complete));
    }
    if (request.query.stream === 'true') {
      const after = Number(request.query.starting_after ?? -1);
      stored.statuses.splice(0, stored.statuses.length - 1);
      return { events: eventsOf(stored.complete).slice(after + 1) };
    }
    const status = stored.statuses.length > 1 ? stored.statuses.shift()! : stored.statuses[0]!;
    return whole(at(status, stored.complete));
  }

  #of(key: string): Account {
    const account = this.#accounts.get(key) ?? new Account();
    this.#accounts.set(key, account);
    return account;
  }
}

function notFound(message: string): ProviderAnswer {
  return { status: 404, body: errorBody('openai', 404, message) };
}

function refusal(message: string): ProviderAnswer {
  return { status: 400, body: errorBody('openai', 400, message) };
}

/** The response with another status. Only a complete one has output and usage. */
function at(status: string, complete: any): any {
  return status === 'completed' ? complete : { ...complete, status, output: [], usage: null };
}

function pageOf(input: readonly any[], query: Readonly<Record<string, string>>): any {
  const start = query.after === undefined ? 0 : input.findIndex(({ id }) => id === query.after) + 1;
  const items = input.slice(start, start + Number(query.limit ?? 20));
  return {
    object: 'list',
    data: items,
    first_id: items[0]?.id ?? null,
    last_id: items.at(-1)?.id ?? null,
    has_more: start + items.length < input.length,
  };
}

/** Everything that the request refers to must be the account's own. Its text is part of the answer. */
function create(account: Account, body: any): ProviderAnswer {
  const context: string[] = [];
  const { previous_response_id: previousId, conversation } = body ?? {};
  if (typeof previousId === 'string') {
    const previous = account.responses.get(previousId);
    if (previous === undefined) return refusal(`Previous response with id '${previousId}' not found.`);
    context.push(textOfItem(previous.complete.output.at(-1)));
  }
  const conversationId: string | undefined =
    typeof conversation === 'string' ? conversation : conversation?.id;
  const history = conversationId === undefined ? undefined : account.conversations.get(conversationId);
  if (conversationId !== undefined && history === undefined) return notFound('Conversation not found.');
  for (const item of history ?? []) context.push(textOfItem(item));
  const given: any[] = Array.isArray(body?.input) ? body.input : [{ role: 'user', content: body?.input }];
  const isReference = (item: any) => Object.keys(item).every((name) => ['type', 'id'].includes(name));
  for (const item of given.filter(isReference)) {
    const found = account.items.get(item.id);
    if (item.id !== undefined && found === undefined) return notFound(`Item with id '${item.id}' not found.`);
    if (found !== undefined) context.push(textOfItem(found));
  }
  const own = answerTo(given.at(-1)?.content, body?.text?.format?.type === 'json_schema');
  const text = context.length === 0 ? own : `${own} (after: ${context.join(', ')})`;

  const output: any[] = [messageOf(text)];
  const tool = body?.tools?.find?.(({ type }: any) => type === 'code_interpreter');
  if (tool !== undefined) {
    const container = typeof tool.container === 'string' ? tool.container : newId('cntr');
    if (typeof tool.container === 'string' && !account.containers.has(container))
      return notFound('No such container.');
    account.containers.add(container);
    const call = {
      id: newId('ci'),
      type: 'code_interpreter_call',
      status: 'completed',
      code: '1+1',
      outputs: null,
    };
    output.unshift({ ...call, container_id: container });
  }
  const isStored = body?.store !== false;
  const complete = {
    id: newId('resp'),
    object: 'response',
    created_at: 1_700_000_000,
    status: 'completed',
    background: body?.background === true,
    error: null,
    incomplete_details: null,
    model: body?.model,
    store: isStored,
    previous_response_id: previousId ?? null,
    ...(conversationId !== undefined && { conversation: { id: conversationId } }),
    output,
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  };
  const statuses = complete.background ? ['queued', 'in_progress', 'completed'] : ['completed'];
  const input = given.map((item) => ({ id: newId('msg'), type: 'message', ...item }));
  if (isStored) {
    account.responses.set(complete.id, { body, complete, input, statuses });
    for (const item of [...output, ...input]) account.items.set(item.id, item);
    history?.push(...output);
  }
  if (body?.stream === true) return { events: eventsOf(complete) };
  return whole(at(complete.background ? 'queued' : 'completed', complete));
}

function messageOf(text: string) {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
  return { id: newId('msg'), type: 'message', role: 'assistant', status: 'completed', content };
}

function textOfItem(item: any): string {
  const content: unknown = item?.content;
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map((part: any) => part.text ?? '').join('') : '';
}

function eventsOf(complete: any): string[] {
  const begun = { response: at(complete.background ? 'queued' : 'in_progress', complete) };
  const events: [string, object][] = [
    ['response.created', begun],
    ...(complete.background ? [['response.queued', begun] as [string, object]] : []),
    ['response.in_progress', { response: at('in_progress', complete) }],
  ];
  for (const [output_index, item] of (complete.output as any[]).entries()) {
    if (item.type !== 'message') {
      events.push(['response.output_item.added', { output_index, item: { ...item, status: 'in_progress' } }]);
      events.push(['response.output_item.done', { output_index, item }]);
      continue;
    }
    const place = { item_id: item.id, output_index, content_index: 0 };
    const text: string = item.content[0].text;
    const empty = { ...item.content[0], text: '' };
    events.push(
      ['response.output_item.added', { output_index, item: { ...item, status: 'in_progress', content: [] } }],
      ['response.content_part.added', { ...place, part: empty }],
      ...words(text).map((delta): [string, object] => [
        'response.output_text.delta',
        { ...place, delta, logprobs: [] },
      ]),
      ['response.output_text.done', { ...place, text, logprobs: [] }],
      ['response.content_part.done', { ...place, part: item.content[0] }],
      ['response.output_item.done', { output_index, item }],
    );
  }
  events.push(['response.completed', { response: complete }]);
  return events.map(([type, fields], sequence_number) => named(type, { type, sequence_number, ...fields }));
}

/** Audio that the provider keeps: https://platform.openai.com/docs/api-reference/chat/object. */
export function audioAnswer(body: any): ProviderAnswer | undefined {
  if (body?.modalities?.includes?.('audio') !== true) return undefined;
  const id = newId('audio');
  const base = { id: 'chatcmpl-audio', created: 1_700_000_000, model: body.model };
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  if (body.stream !== true) {
    const audio = { id, data: 'UklGRg==', transcript: 'hello', expires_at: 1_800_000_000 };
    const message = { role: 'assistant', content: null, audio };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    return whole({ ...base, object: 'chat.completion', choices, usage });
  }
  const part = (delta: object, finish_reason: string | null = null) =>
    data({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] });
  return {
    events: [
      part({ role: 'assistant', audio: { id, transcript: 'hel' } }),
      part({ audio: { id, data: 'UklGRg==' } }),
      part({}, 'stop'),
      'data: [DONE]\n\n',
    ],
  };
}
