// The mock provider: OpenAI's chat completions and embeddings and Anthropic's messages, whole and as streams.
//   node provider/server.mjs         prints its port to the parent process over IPC
//
// It is written on node:net because node:http would need more time for a call than some of the gateways that are measured,
// and the bench would then measure the provider. It understands what HTTP clients send to a provider and nothing else.
import { createServer } from 'node:net';
import { answers } from './answers.mjs';

/** How much of a body's start and end is kept. The members that choose the response are there in every dialect. */
const KEPT_BYTES = 1024;
const headEnd = Buffer.from('\r\n\r\n');
const nothing = Buffer.alloc(0);

class Connection {
  constructor(socket) {
    this.socket = socket;
    this.pending = nothing;
    this.head = undefined;
    this.sending = false;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => this.read(bytes));
    socket.on('error', () => socket.destroy());
  }

  read(bytes) {
    this.pending = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes]);
    // A client that sends its next request early waits until the response has been written.
    while (!this.sending && this.pending.length > 0 && this.readRequest());
  }

  /** True when one request was read whole. */
  readRequest() {
    if (this.head === undefined && !this.readHead()) return false;
    if (!this.readBody()) return false;
    const { path, closes } = this.head;
    const body = this.start + this.end.toString('latin1');
    this.head = undefined;
    this.respond(path, body, closes);
    return true;
  }

  readHead() {
    const end = this.pending.indexOf(headEnd);
    if (end < 0) return false;
    const head = this.pending.latin1Slice(0, end);
    this.pending = this.pending.subarray(end + 4);
    this.head = {
      path: head.slice(head.indexOf(' ') + 1, head.indexOf(' HTTP/')),
      closes: /\r\nconnection: *close/i.test(head),
    };
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    this.isChunked = length === null && /\r\ntransfer-encoding: *chunked/i.test(head);
    this.remaining = length === null ? 0 : Number(length[1]);
    this.start = '';
    this.end = nothing;
    if (/\r\nexpect: *100-continue/i.test(head)) this.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    return true;
  }

  readBody() {
    if (!this.isChunked) return this.readPart();
    for (;;) {
      if (this.remaining > 0 && !this.readPart()) return false;
      // Between two chunks: the size line, preceded by the line end of the previous chunk.
      const from = this.pending[0] === 13 ? 2 : 0;
      const lineEnd = this.pending.indexOf('\r\n', from);
      if (lineEnd < 0) return false;
      const size = parseInt(this.pending.latin1Slice(from, lineEnd), 16);
      if (size === 0) {
        if (this.pending.length < lineEnd + 4) return false;
        this.pending = this.pending.subarray(lineEnd + 4);
        return true;
      }
      this.pending = this.pending.subarray(lineEnd + 2);
      this.remaining = size;
    }
  }

  /** Reads up to `remaining` bytes, and drops all but the start and the end of the body. */
  readPart() {
    const part =
      this.pending.length > this.remaining ? this.pending.subarray(0, this.remaining) : this.pending;
    this.pending = this.pending.subarray(part.length);
    this.remaining -= part.length;
    let rest = part;
    if (this.start.length < KEPT_BYTES) {
      const taken = Math.min(part.length, KEPT_BYTES - this.start.length);
      this.start += part.latin1Slice(0, taken);
      rest = part.subarray(taken);
    }
    if (rest.length > 0) {
      this.end =
        rest.length >= KEPT_BYTES
          ? rest.subarray(-KEPT_BYTES)
          : Buffer.concat([this.end, rest]).subarray(-KEPT_BYTES);
    }
    return this.remaining === 0;
  }

  respond(path, body, closes) {
    const streams = streamsOf(path);
    if (streams !== undefined && /"stream": *true/.test(body)) {
      const count = Number(/"max_(?:completion_)?tokens": *(\d+)/.exec(body)?.[1]);
      this.send(streams.get(count) ?? streams.get(43), closes);
      return;
    }
    this.socket.write(wholeOf(path));
    if (closes) this.socket.end();
  }

  /** Writes one event per turn of the event loop, so that each one arrives on its own, as from a model. */
  send({ head, chunks }, closes) {
    this.sending = true;
    this.socket.write(head);
    let index = 0;
    const next = () => {
      if (this.socket.destroyed) return;
      const drained = this.socket.write(chunks[index++]);
      if (index < chunks.length) {
        if (drained) setImmediate(next);
        else this.socket.once('drain', next);
        return;
      }
      this.sending = false;
      if (closes) this.socket.end();
      else this.read(nothing);
    };
    setImmediate(next);
  }
}

function streamsOf(path) {
  if (path.endsWith('/chat/completions')) return answers.chatStreams;
  if (path.includes('/messages')) return answers.messageStreams;
  return undefined;
}

function wholeOf(path) {
  if (path.endsWith('/chat/completions')) return answers.chat;
  if (path.includes('/messages')) return answers.messages;
  if (path.endsWith('/embeddings')) return answers.embeddings;
  if (path.includes('/models') || path.startsWith('/health')) return answers.models;
  return answers.notFound;
}

const server = createServer((socket) => new Connection(socket));
server.listen(0, '127.0.0.1', () => process.send?.({ port: server.address().port }));
process.on('disconnect', () => process.exit());
