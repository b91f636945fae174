// What is sent, by name. A gateway adds its own headers; everything else is the same for all.

const question = 'When does the office open, and where do I find the form?';
const sentence = 'The municipality decides on the application within three weeks after it is complete. ';
const textOf = (bytes) => sentence.repeat(Math.ceil(bytes / sentence.length)).slice(0, bytes);

const chat = (content, extra = {}) => ({
  model: 'gpt-4o',
  messages: [
    { role: 'system', content: 'You are a helpful assistant. Answer briefly.' },
    { role: 'user', content },
  ],
  temperature: 0.7,
  ...extra,
});

/** Base64 of bytes without a pattern, which are the same in every run. */
function imageOf(bytes) {
  let state = 1;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  return Buffer.from(Array.from({ length: (bytes * 3) / 4 }, next)).toString('base64');
}

const withImage = [
  { type: 'text', text: question },
  { type: 'image_url', image_url: { url: `data:image/png;base64,${imageOf(1_000_000)}` } },
];

const message = {
  model: 'gpt-4o',
  max_tokens: 256,
  system: 'You are a helpful assistant. Answer briefly.',
  messages: [{ role: 'user', content: question }],
};

const texts = Array.from({ length: 64 }, (_, index) => `${index}: ${sentence}`);

/**
 * `provider` is the one that must be called: for a translated call it is not the one whose format the client speaks.
 * `expects` is in every correct response. The streams do not ask for their usage and the mock provider sends it all the
 * same, so that a gateway that hides what the client did not ask for has this work to do.
 */
export const works = [
  work('small-chat', 'Small chat', { body: chat(question) }),
  work('chat-8k', 'Chat with 8 KB', { body: chat(textOf(8_000)) }),
  work('prompt-100k', 'Prompt of 100 KB', { body: chat(textOf(100_000)) }),
  work('image-1m', '1 MB body with an image', { body: chat(withImage) }),
  work('sse-43', 'Stream of 43 chunks', {
    body: chat(question, { stream: true, max_tokens: 43 }),
    frames: 43,
  }),
  work('sse-400', 'Stream of 400 chunks', {
    body: chat(question, { stream: true, max_tokens: 400 }),
    frames: 400,
  }),
  work('embeddings-64', '64 embeddings', {
    path: '/embeddings',
    body: { model: 'text-embedding-3-small', input: texts },
    expects: /"embedding"/,
  }),
  work('messages-on-chat', 'Anthropic client, OpenAI model', { path: '/messages', body: message }),
  work('chat-on-messages', 'OpenAI client, Claude model', {
    body: chat(question, { model: 'claude-sonnet', max_tokens: 256 }),
    provider: 'anthropic',
  }),
];

function work(name, title, { path = '/chat/completions', body, provider = 'openai', expects, frames }) {
  const pattern = expects ?? (frames === undefined ? /Good morning\. The office/ : /morning/);
  return { name, title, path, body: JSON.stringify(body), provider, expects: pattern, frames };
}

/** A whole HTTP request as text in latin1, which the load generator sends as it is. */
export function requestBytes({ method = 'POST', path, headers = {}, body = '' }) {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: bench',
    'user-agent: bench',
    'accept: */*',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === '' ? [] : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
