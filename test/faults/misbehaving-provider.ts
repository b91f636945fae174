import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { data } from '../support/answer-parts';

/** What one provider does to every call. */
export interface Misbehaviour {
  readonly name: string;
  /** How a call ends: its status and the code of its error, of a whole response and of a stream. */
  readonly ends: readonly [whole: string, streamed: string];
  /** Called when the request has arrived. */
  readonly answer: (socket: Socket, isStream: boolean) => void | Promise<void>;
}

const message = { role: 'assistant', content: 'hello' };
const json = JSON.stringify({
  object: 'chat.completion',
  choices: [{ index: 0, message, finish_reason: 'stop' }],
});
const event = data({ object: 'chat.completion.chunk', choices: [{ index: 0, delta: message }] });
const last = data({
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta: {}, finish_reason: 'stop' }],
});
const stream = `${event}${event}${last}data: [DONE]\n\n`;

const bodyOf = (isStream: boolean) => (isStream ? stream : json);
const headOf = (isStream: boolean, ...fields: string[]) =>
  [
    'HTTP/1.1 200 OK',
    `content-type: ${isStream ? 'text/event-stream' : 'application/json'}`,
    ...fields,
    '\r\n',
  ].join('\r\n');
/** The beginning of a body, with a whole event if it is a stream. */
const partOf = (isStream: boolean) => (isStream ? event : json.slice(0, 20));
const lengthOf = (isStream: boolean) => `content-length: ${bodyOf(isStream).length}`;
const chunked = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

function refusal(status: number): Misbehaviour['answer'] {
  const body = JSON.stringify({ error: { message: 'not now', type: 'server_error', code: null } });
  const head = [
    `HTTP/1.1 ${status} Storm`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    // The next call must not be sent on a connection that is about to end.
    'connection: close',
    '\r\n',
  ].join('\r\n');
  return (socket) => void socket.end(head + body);
}

const unavailable = '502 upstream_unavailable';
const timeout = '504 upstream_timeout';

export const misbehaviours: readonly Misbehaviour[] = [
  {
    name: 'resets the connection before the head',
    ends: [unavailable, unavailable],
    answer: (socket) => void socket.resetAndDestroy(),
  },
  {
    name: 'resets the connection in the body',
    ends: [unavailable, '200 upstream_unavailable'],
    answer: async (socket, isStream) => {
      socket.write(headOf(isStream, lengthOf(isStream)) + partOf(isStream));
      await wait(50);
      socket.resetAndDestroy();
    },
  },
  { name: 'never answers', ends: [timeout, timeout], answer: () => undefined },
  {
    name: 'stalls after the head',
    ends: [timeout, timeout],
    answer: (socket, isStream) => void socket.write(headOf(isStream, lengthOf(isStream))),
  },
  {
    name: 'stalls in the body',
    ends: [timeout, '200 upstream_timeout'],
    answer: (socket, isStream) => void socket.write(headOf(isStream, lengthOf(isStream)) + partOf(isStream)),
  },
  {
    name: 'ends a chunked body too early',
    ends: [unavailable, '200 upstream_unavailable'],
    answer: (socket, isStream) =>
      void socket.end(headOf(isStream, 'transfer-encoding: chunked') + chunked(partOf(isStream))),
  },
  {
    name: 'announces more bytes than it sends',
    ends: [unavailable, '200 upstream_unavailable'],
    answer: (socket, isStream) =>
      void socket.end(headOf(isStream, 'content-length: 100000') + partOf(isStream)),
  },
  {
    name: 'sends no HTTP',
    ends: [unavailable, unavailable],
    answer: (socket) => void socket.end('\x00\x01 what is HTTP?\r\n\r\n'),
  },
  {
    name: 'sends a byte at a time',
    ends: ['200 done', '200 done'],
    answer: async (socket, isStream) => {
      const body = bodyOf(isStream);
      socket.write(headOf(isStream, lengthOf(isStream)) + body.slice(0, -6));
      for (const byte of body.slice(-6)) {
        await wait(600);
        socket.write(byte);
      }
      socket.end();
    },
  },
  { name: 'answers each call with 500', ends: [unavailable, unavailable], answer: refusal(500) },
  { name: 'answers each call with 503', ends: [unavailable, unavailable], answer: refusal(503) },
  {
    name: 'answers each call with 429',
    ends: ['429 upstream_rate_limited', '429 upstream_rate_limited'],
    answer: refusal(429),
  },
];

/** A provider, on a port of its own, that does the same to every call. */
export async function startMisbehaving(answer: Misbehaviour['answer']) {
  const state = { reached: 0, open: 0, endpoint: '', close: () => undefined as void };
  const server = createServer((socket) => {
    state.open += 1;
    socket.on('error', () => undefined).on('close', () => (state.open -= 1));
    let text = '';
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
      const [, length] = /content-length: (\d+)/i.exec(text) ?? [];
      const isWhole = text.length >= text.indexOf('\r\n\r\n') + 4 + Number(length);
      // What is not HTTP, such as the beginning of TLS, has no length.
      if (length !== undefined && !isWhole) return;
      state.reached += 1;
      void answer(socket, /"stream": ?true/.test(text));
      text = '';
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  state.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  state.close = () => void server.close();
  return state;
}
