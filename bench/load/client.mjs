// One keep-alive connection of the load generator. It writes prepared bytes and reads just enough of each response to
// measure it. It is written on node:net because an HTTP client would cost more than the gateways that are measured.
import { connect } from 'node:net';
import { BodyReader } from './body-reader.mjs';

const headEnd = Buffer.from('\r\n\r\n');
const nothing = Buffer.alloc(0);

export class Client {
  /** @param take returns the bytes of the next request, or undefined when there is nothing more to send
   *  @param report is called with what was measured of each call */
  constructor({ host, port, take, report }) {
    Object.assign(this, { host, port, take, report });
  }

  /** Resolves when `take` has nothing more, or after `stop`. */
  run() {
    return new Promise((resolve) => {
      this.finish = resolve;
      this.open();
    });
  }

  stop() {
    if (this.done) return;
    this.done = true;
    this.fail();
    this.socket.destroy();
    this.finish();
  }

  open() {
    this.pending = nothing;
    this.body = undefined;
    this.socket = connect({ host: this.host, port: this.port, noDelay: true });
    this.socket.on('connect', () => this.send());
    this.socket.on('data', (bytes) => this.read(bytes));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => this.closed());
  }

  send() {
    const request = this.take();
    if (request === undefined) return this.stop();
    this.running = true;
    this.firstByteAt = undefined;
    this.sentAt = performance.now();
    this.socket.write(request);
  }

  read(bytes) {
    if (!this.running) return;
    if (this.body === undefined) {
      this.pending = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes]);
      const end = this.pending.indexOf(headEnd);
      if (end < 0) return;
      const head = this.pending.latin1Slice(0, end).toLowerCase();
      bytes = this.pending.subarray(end + 4);
      this.pending = nothing;
      this.status = Number(head.slice(9, 12));
      this.closes = head.includes('\r\nconnection: close');
      this.body = new BodyReader(head);
    }
    if (bytes.length > 0) this.firstByteAt ??= performance.now();
    if (this.body.read(bytes)) this.complete();
  }

  complete() {
    const now = performance.now();
    const { frames, isComplete } = this.body;
    this.running = false;
    this.body = undefined;
    this.report({
      status: isComplete ? this.status : 0,
      latency: now - this.sentAt,
      firstByte: (this.firstByteAt ?? now) - this.sentAt,
      frames,
    });
    if (this.closes) this.socket.end();
    else this.send();
  }

  /** A connection that was closed is opened again. */
  closed() {
    if (this.done) return;
    this.fail();
    // A server that refuses every connection must not turn this into a busy loop.
    setTimeout(() => this.done || this.open(), 5);
  }
  /** Reports a call that got no whole response. */
  fail() {
    if (!this.running) return;
    this.running = false;
    this.report({ status: 0, latency: performance.now() - this.sentAt, firstByte: 0, frames: 0 });
  }
}
