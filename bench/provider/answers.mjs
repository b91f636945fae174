// The responses of the mock provider. Each one is rendered to bytes once, so that serving it costs a write and nothing else.

const text =
  'Good morning. The office is open from eight to five on weekdays, and the form is on the third page of the website.';
const words = text.split(' ');
const created = 1764000000;

/** What providers send besides the content; gateways read and filter such headers, so leaving them out would be unfair. */
const usualHeaders = [
  'date: Tue, 01 Dec 2026 08:00:00 GMT',
  'server: mock',
  'x-request-id: req_0123456789abcdef0123456789abcdef',
  'openai-processing-ms: 1',
  'x-ratelimit-limit-requests: 10000',
  'x-ratelimit-remaining-requests: 9999',
];

function whole(body) {
  const json = Buffer.from(JSON.stringify(body));
  const head = [
    'HTTP/1.1 200 OK',
    ...usualHeaders,
    'content-type: application/json',
    `content-length: ${json.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), json]);
}

/** A stream as a list of writes: the head, each event in a chunk of its own, and the end. */
function stream(events) {
  const head = [
    'HTTP/1.1 200 OK',
    ...usualHeaders,
    'content-type: text/event-stream; charset=utf-8',
    'cache-control: no-cache',
    'transfer-encoding: chunked',
  ];
  const chunks = events.map((event) =>
    Buffer.from(`${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`),
  );
  // The end of the body travels with the last event, as a server sends it that has nothing more to wait for.
  chunks.push(Buffer.concat([chunks.pop(), Buffer.from('0\r\n\r\n')]));
  return { head: Buffer.from(`${head.join('\r\n')}\r\n\r\n`), chunks };
}

function chatCompletion() {
  return {
    id: 'chatcmpl-0123456789abcdef',
    object: 'chat.completion',
    created,
    model: 'gpt-4o',
    choices: [
      { index: 0, message: { role: 'assistant', content: text }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 24, completion_tokens: 26, total_tokens: 50 },
    system_fingerprint: 'fp_0123456789',
  };
}

function chatEvents(count) {
  const chunk = (choices, usage) =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-0123456789abcdef',
      object: 'chat.completion.chunk',
      created,
      model: 'gpt-4o',
      choices,
      ...(usage && { usage }),
    })}\n\n`;
  const content = Array.from({ length: count }, (_, index) =>
    chunk([{ index: 0, delta: { content: `${words[index % words.length]} ` }, finish_reason: null }]),
  );
  const usage = { prompt_tokens: 24, completion_tokens: count, total_tokens: 24 + count };
  return [
    ...content,
    chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]),
    chunk([], usage),
    'data: [DONE]\n\n',
  ];
}

function message() {
  return {
    id: 'msg_0123456789abcdef',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 24, output_tokens: 26 },
  };
}

function messageEvents(count) {
  const event = (type, fields) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const start = {
    ...message(),
    content: [],
    stop_reason: null,
    usage: { input_tokens: 24, output_tokens: 1 },
  };
  return [
    event('message_start', { message: start }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...Array.from({ length: count }, (_, index) =>
      event('content_block_delta', {
        index: 0,
        delta: { type: 'text_delta', text: `${words[index % words.length]} ` },
      }),
    ),
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: count },
    }),
    event('message_stop', {}),
  ];
}

function embeddings(count) {
  // A fixed sequence instead of random numbers, so that every run serves the same bytes.
  const vector = Array.from({ length: 1536 }, (_, index) => Number(Math.sin(index + 1).toFixed(8)));
  return {
    object: 'list',
    data: Array.from({ length: count }, (_, index) => ({ object: 'embedding', index, embedding: vector })),
    model: 'text-embedding-3-small',
    usage: { prompt_tokens: 640, total_tokens: 640 },
  };
}

export const answers = {
  chat: whole(chatCompletion()),
  messages: whole(message()),
  embeddings: whole(embeddings(64)),
  models: whole({ object: 'list', data: [{ id: 'gpt-4o', object: 'model', created, owned_by: 'mock' }] }),
  chatStreams: new Map([43, 400].map((count) => [count, stream(chatEvents(count))])),
  messageStreams: new Map([43, 400].map((count) => [count, stream(messageEvents(count))])),
  notFound: Buffer.from(
    'HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nnot found',
  ),
};
