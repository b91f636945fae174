/** Reads streams as clients do, and makes streams from whole responses in the formats of the providers. */

interface Event {
  event?: string;
  data: string;
}
type Body = Record<string, any>;

/** Replaces expect(), which is too slow for checks on every event of thousands of streams. */
function check(holds: boolean, fault: string): void {
  if (!holds) throw new Error(fault);
}

/** Reads the events of a stream. Each has at most one `event` line and one `data` line. */
export function eventsIn(text: string): Event[] {
  const parts = text.split('\n\n');
  check(parts.pop() === '', 'the last event is not complete');
  return parts.map((part) => {
    const match = /^(?:event: (.+)\n)?data: ([^\n\r]*)$/.exec(part);
    check(match !== null, 'an event has another form');
    return { event: match![1], data: match![2]! };
  });
}

/** Gathers a chat completion from chunks, as a client does. */
export function gatheredChat(events: Event[]): Body {
  check(events.at(-1)?.data === '[DONE]', 'the last event is not [DONE]');
  const chunks: Body[] = events.slice(0, -1).map(({ data }) => JSON.parse(data));
  const message: Body = { role: 'assistant', content: '' };
  let finish: unknown;
  for (const { delta, finish_reason } of chunks.flatMap(({ choices }) => choices as Body[])) {
    check(finish === undefined, 'something follows the finish reason');
    finish = finish_reason ?? undefined;
    for (const field of ['content', 'reasoning_content', 'refusal']) {
      if (delta[field]) message[field] = (message[field] ?? '') + delta[field];
    }
    for (const { index, ...block } of delta.thinking_blocks ?? [])
      (message.thinking_blocks ??= [])[index] = block;
    for (const { index, id, function: fragment } of delta.tool_calls ?? []) {
      const call = ((message.tool_calls ??= [])[index] ??= {
        id,
        type: 'function',
        function: { name: fragment.name, arguments: '' },
      });
      call.function.arguments += fragment.arguments;
    }
  }
  const usage = chunks.flatMap((chunk) => (chunk.usage ? [chunk.usage] : []));
  check(usage.length <= 1, 'there is more than one usage');
  return { id: chunks[0]?.id, choices: [{ index: 0, message, finish_reason: finish }], usage: usage[0] };
}

/** Gathers a message from events, as a client does. Throws when they are out of order. */
export function gatheredMessage(events: Event[]): Body {
  const bodies: Body[] = events.map(({ event, data }) => {
    const body = JSON.parse(data);
    check(body.type === event, 'an event is not named after its type');
    return body;
  });
  check(bodies[0]?.type === 'message_start', 'the start is not the first event');
  check(bodies.at(-1)?.type === 'message_stop', 'the stop is not the last event');
  const message: Body = bodies[0]!.message;
  let open: Body | undefined;
  let json = '';
  for (const body of bodies.slice(1, -1)) {
    if (body.type === 'message_delta') {
      Object.assign(message, body.delta);
      Object.assign(message.usage, body.usage);
      continue;
    }
    if (body.type === 'content_block_start') {
      check(open === undefined && body.index === message.content.length, 'a block begins inside another');
      open = { ...body.content_block };
      message.content.push(open);
      json = '';
      continue;
    }
    check(
      open !== undefined && body.index === message.content.length - 1,
      'a delta is not of the open block',
    );
    if (body.type === 'content_block_stop') {
      if (open?.type === 'tool_use' && json !== '') open.input = JSON.parse(json);
      open = undefined;
      continue;
    }
    const { delta } = body;
    if (delta.type === 'text_delta') open!.text += delta.text;
    if (delta.type === 'thinking_delta') open!.thinking += delta.thinking;
    if (delta.type === 'signature_delta') open!.signature = delta.signature;
    if (delta.type === 'input_json_delta') json += delta.partial_json;
  }
  check(open === undefined, 'a block is not stopped');
  return message;
}

/**
 * Gathers a response from events, as a client does. Throws when they are out of order, or when the last one has another
 * response than the others make.
 */
export function gatheredResponse(events: Event[]): Body {
  const bodies: Body[] = events.map(({ event, data }, index) => {
    const body = JSON.parse(data);
    check(body.type === event, 'an event is not named after its type');
    check(body.sequence_number === index, 'a sequence number is missing');
    return body;
  });
  const [created, inProgress, ...others] = bodies;
  check(created?.type === 'response.created' && inProgress?.type === 'response.in_progress', 'another start');
  check(created!.response.status === 'in_progress' && created!.response.output.length === 0, 'another state');
  const last = others.pop();
  check(last?.type === `response.${last?.response.status}`, 'the last event does not fit the status');
  const items: { item: Body; isDone: boolean; text: string }[] = [];
  for (const body of others) {
    if (body.type === 'response.output_item.added') {
      check(body.output_index === items.length, 'an item has another index');
      items.push({ item: body.item, isDone: false, text: '' });
      continue;
    }
    const found = items[body.output_index];
    check(found !== undefined && !found.isDone, 'an event is not of an open item');
    if (body.type === 'response.output_item.done') {
      const { encrypted_content: _, ...item } = body.item;
      check(JSON.stringify(found!.item) === JSON.stringify({ ...item, status: found!.item.status }), 'gaps');
      found!.item = body.item;
      found!.isDone = true;
      continue;
    }
    check(body.item_id === found!.item.id, 'an event has the id of another item');
    addToItem(found!, body);
  }
  check(
    items.every(({ isDone }) => isDone),
    'an item is not done',
  );
  check(
    JSON.stringify(last!.response.output) === JSON.stringify(items.map(({ item }) => item)),
    'the last event has other items',
  );
  return last!.response;
}

function addToItem(open: { item: Body; text: string }, body: Body): void {
  const { item } = open;
  const isSummary = body.summary_index !== undefined;
  const parts: Body[] = isSummary ? item.summary : item.content;
  const index = isSummary ? body.summary_index : body.content_index;
  switch (body.type) {
    case 'response.reasoning_summary_part.added':
    case 'response.content_part.added':
      check(index === parts.length, 'a part has another index');
      parts.push(body.part);
      open.text = '';
      return;
    case 'response.reasoning_summary_part.done':
    case 'response.content_part.done':
      check(open.text === (body.part.text ?? body.part.refusal), 'a part has another text');
      parts[index] = body.part;
      return;
    case 'response.reasoning_summary_text.done':
    case 'response.output_text.done':
    case 'response.refusal.done':
      check(index === parts.length - 1 && open.text === (body.text ?? body.refusal), 'gaps in a text');
      return;
    case 'response.function_call_arguments.done':
      check(open.text === body.arguments, 'gaps in arguments');
      item.arguments = body.arguments;
      return;
    case 'response.custom_tool_call_input.done':
      check(open.text === body.input, 'gaps in an input');
      item.input = body.input;
      return;
    default:
      check(/\.delta$/.test(body.type), `an unknown event: ${body.type}`);
      if (index !== undefined) check(index === parts.length - 1, 'a delta is not of the open part');
      open.text += body.delta;
  }
}

/** Cuts a text into pieces of these sizes, repeatedly. Like providers, it does not cut a surrogate pair. */
export function pieces(text: string, sizes: number[]): string[] {
  const characters = [...text];
  const cut: string[] = [];
  for (let turn = 0; characters.length > 0; turn += 1) {
    cut.push(characters.splice(0, sizes[turn % sizes.length]! + 1).join(''));
  }
  return cut;
}

/** Makes the events of Anthropic's stream from a message. */
export function eventsOfMessage(message: Body, sizes: number[]): Event[] {
  const bodies: Body[] = [
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, usage: { ...message.usage, output_tokens: 1 } },
    },
  ];
  (message.content as Body[]).forEach((block, index) => {
    const { start, deltas } = streamedBlock(block, sizes);
    bodies.push(
      { type: 'content_block_start', index, content_block: start },
      { type: 'ping' },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    );
  });
  const { stop_reason, stop_sequence, stop_details } = message;
  bodies.push(
    {
      type: 'message_delta',
      delta: { stop_reason, stop_sequence, stop_details },
      usage: { output_tokens: message.usage.output_tokens },
    },
    { type: 'message_stop' },
  );
  return bodies.map((body) => ({ event: body.type, data: JSON.stringify(body) }));
}

function streamedBlock(block: Body, sizes: number[]): { start: Body; deltas: Body[] } {
  switch (block.type) {
    case 'text':
      return {
        start: { type: 'text', text: '' },
        deltas: pieces(block.text, sizes).map((text) => ({ type: 'text_delta', text })),
      };
    case 'thinking':
      return {
        start: { type: 'thinking', thinking: '', signature: '' },
        deltas: [
          ...pieces(block.thinking, sizes).map((thinking) => ({ type: 'thinking_delta', thinking })),
          { type: 'signature_delta', signature: block.signature },
        ],
      };
    case 'tool_use': {
      const json = Object.keys(block.input).length === 0 ? '' : JSON.stringify(block.input);
      return {
        start: { ...block, input: {} },
        deltas: ['', ...pieces(json, sizes)].map((partial_json) => ({
          type: 'input_json_delta',
          partial_json,
        })),
      };
    }
    default:
      return { start: block, deltas: [] };
  }
}

/** Makes OpenAI's chunks from a chat completion. With `interleaved`, fragments of parallel tool calls alternate. */
export function chunksOfChat(answer: Body, sizes: number[], interleaved: boolean): Event[] {
  const [{ message, finish_reason }] = answer.choices;
  const calls: Body[][] = (message.tool_calls ?? []).map((call: Body, index: number) => [
    { index, ...call, function: { name: call.function.name, arguments: '' } },
    ...pieces(call.function.arguments, sizes).map((text) => ({ index, function: { arguments: text } })),
  ]);
  const longest = Math.max(0, ...calls.map(({ length }) => length));
  const byTurns = Array.from({ length: longest }, (_, turn) =>
    calls.flatMap((call) => call.slice(turn, turn + 1)),
  ).flat();
  const textDeltas = (field: string) =>
    pieces(message[field] ?? '', sizes).map((text) => ({ [field]: text }));
  const deltas: Body[] = [
    { role: 'assistant', content: '' },
    ...textDeltas('reasoning_content'),
    ...textDeltas('content'),
    ...(interleaved ? byTurns : calls.flat()).map((call) => ({ tool_calls: [call] })),
  ];
  const chunk = (fields: Body) => ({ id: answer.id, object: 'chat.completion.chunk', created: 1, ...fields });
  return [
    ...deltas.map((delta) => chunk({ choices: [{ index: 0, delta, finish_reason: null }] })),
    chunk({ choices: [{ index: 0, delta: {}, finish_reason }] }),
    chunk({ choices: [], usage: answer.usage }),
  ]
    .map((body) => ({ data: JSON.stringify(body) }))
    .concat({ data: '[DONE]' });
}
