import { eachEvent, isEventStream } from '#egress';
import { usageName } from '#providers';
import { type ReportedTokens, ReportedUsage } from './reported-tokens';
import { JsonUsageScanner } from './json-usage-scanner';

const LF = 0x0a;
const CR = 0x0d;
const dataField = Buffer.from('data:');
const otherField = -1;
const lineBreak = Buffer.from('\n');
const byteOrderMark = [0xef, 0xbb, 0xbf];

/**
 * Reads the tokens that a provider reports from the bytes of its response as they pass: JSON or server-sent events (WHATWG
 * HTML, section 9.2). The response is not kept; memory is bounded, time is linear, and no input makes it throw. If there are
 * several usage objects, each count comes from the last one that has it.
 */
export class UsageScanner {
  /** @param contentType of the provider's response; anything but JSON and event streams is ignored */
  constructor(contentType: string | undefined) {
    if (isEventStream(contentType)) this.#format = 'events';
    else if (/^[^;]*[/+]json\s*(;|$)/i.test(contentType ?? '')) this.#format = 'json';
  }

  readonly #format: 'events' | 'json' | undefined;
  readonly #json = new JsonUsageScanner((usage) => {
    this.#reported ??= new ReportedUsage();
    this.#reported.add(usage);
  });
  #reported: ReportedUsage | undefined;

  /** How many characters of `data:` the line has matched so far, or `otherField`. */
  #matched = 0;
  #isFirstLine = true;
  #isAfterCr = false;

  get isOfEvents(): boolean {
    return this.#format === 'events';
  }

  /** The same for whole events. Those without a usage object are not read, which is much faster. */
  pushEvents(events: Buffer): void {
    if (!mayHaveUsageObject(events)) return;
    for (const event of eachEvent(events)) if (mayHaveUsageObject(event)) this.push(event);
  }

  /** Chunks may be cut anywhere, even in the middle of a character, an escape or a line end. */
  push(chunk: Uint8Array): void {
    if (this.#format === undefined) return;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#format === 'json') this.#json.push(bytes);
    else this.#pushEvents(bytes);
  }

  /** Undefined until a usage object was read. If a stream broke off, these are the tokens reported by then. */
  get tokens(): ReportedTokens | undefined {
    return this.#reported?.tokens;
  }

  #pushEvents(bytes: Buffer): void {
    let start = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at];
      if (byte !== LF && byte !== CR) continue;
      if (at > start) this.#pushLine(bytes, start, at);
      // CR LF is one line end.
      if (byte === CR || at > start || !this.#isAfterCr) this.#endLine();
      this.#isAfterCr = byte === CR;
      start = at + 1;
    }
    if (start === bytes.length) return;
    this.#pushLine(bytes, start, bytes.length);
    this.#isAfterCr = false;
  }

  /** Reads a part of a line, which is not empty. */
  #pushLine(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && this.#matched !== otherField && this.#matched < dataField.length) {
      const byte = bytes[at]!;
      at += 1;
      if (byte === dataField[this.#matched]) this.#matched += 1;
      else if (this.#matched > 0 || !this.#isFirstLine || !byteOrderMark.includes(byte)) {
        this.#matched = otherField;
      }
    }
    if (this.#matched === dataField.length) this.#json.push(bytes.subarray(at, end));
  }

  #endLine(): void {
    if (this.#matched === 0) this.#json.reset();
    else if (this.#matched === dataField.length) this.#json.push(lineBreak);
    this.#matched = 0;
    this.#isFirstLine = false;
  }
}

/**
 * False only when no `"usage"` is followed by an object: many providers send a null in each event. A line that ends in between may go
 * on with the object.
 */
function mayHaveUsageObject(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(usageName); at !== -1; at = bytes.indexOf(usageName, at)) {
    at += usageName.length;
    let next = bytes[at];
    while (next === 0x20 || next === 0x09 || next === 0x3a) next = bytes[++at];
    if (next === 0x7b || next === LF || next === CR) return true;
  }
  return false;
}
