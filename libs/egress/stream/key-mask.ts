import { type Secret, secretRanges, tracesOf } from '#crypto';
import { type BodySink } from './body-sink';

/** A shorter key could be an ordinary word. */
const SHORTEST_KEY = 12;
/** How much text is searched at a time once a part of the key was found. */
const SEARCHED_BYTES = 64 * 1024;
/** So much of one body is searched character by character. */
const MAXIMUM_SEARCHED = 1024 * 1024;
const STAR = 0x2a;

/**
 * Overwrites the key of the call with stars wherever a body contains it: as it is, in base64, or escaped for JSON or a URL. The
 * length stays the same, so `content-length` and byte counts stay correct. Bytes that may be the beginning of the key wait for
 * those that follow.
 */
export class KeyMask implements BodySink {
  readonly #key: Secret;
  readonly #spellings: readonly string[];
  readonly #parts: readonly Buffer[];
  readonly #beginnings: readonly string[];
  /** 1 for each byte with which a spelling begins. */
  readonly #isFirst = new Uint8Array(256);
  readonly #maximumLength: number;
  /**
   * Every spelling consists of bytes above this one. A part that ends with this byte or a lower one therefore needs no search for
   * the beginning of a key.
   */
  readonly #separator: number;
  readonly #next: BodySink;
  readonly #onMasked: (bytes: number) => void;
  #held: Buffer | undefined;
  #maskedBytes = 0;
  #searchedBytes = 0;

  /**
   * @param onMasked called once at the end, with the number of bytes overwritten, if there are any
   * @returns the sink itself for a key that is too short to be found
   */
  static before(next: BodySink, key: Secret, onMasked: (bytes: number) => void): BodySink {
    return key.expose().length < SHORTEST_KEY ? next : new KeyMask(next, key, onMasked);
  }

  private constructor(next: BodySink, key: Secret, onMasked: (bytes: number) => void) {
    const { spellings, parts, beginnings, maximumLength } = tracesOf(key);
    this.#key = key;
    this.#spellings = spellings;
    this.#parts = parts.map((part) => Buffer.from(part));
    this.#beginnings = beginnings;
    for (const beginning of beginnings) this.#isFirst[beginning.charCodeAt(0)] = 1;
    this.#maximumLength = maximumLength;
    this.#separator = key.expose().includes(' ') ? 0x1f : 0x20;
    this.#next = next;
    this.#onMasked = onMasked;
  }

  write(part: Buffer): boolean {
    const bytes = this.#masked(this.#held === undefined ? part : Buffer.concat([this.#held, part]));
    const end = this.#openEnd(bytes);
    this.#held = end === bytes.length ? undefined : bytes.subarray(end);
    return end === 0 || this.#next.write(end === bytes.length ? bytes : bytes.subarray(0, end));
  }

  end(): void {
    this.#flush();
    this.#next.end();
  }

  fail(error: Error): void {
    this.#flush();
    this.#next.fail(error);
  }

  #flush(): void {
    if (this.#held !== undefined) this.#next.write(this.#withoutBeginning(this.#held));
    this.#held = undefined;
    if (this.#maskedBytes > 0) this.#onMasked(this.#maskedBytes);
  }

  /** Overwrites the beginning of the key, with which a body that breaks off may end. */
  #withoutBeginning(held: Buffer): Buffer {
    const text = held.toString('latin1');
    for (let at = 0; at <= text.length - SHORTEST_KEY; at += 1) {
      if (!this.#spellings.some((spelling) => spelling.startsWith(text.slice(at)))) continue;
      this.#maskedBytes += held.length - at;
      return Buffer.from(held).fill(STAR, at);
    }
    return held;
  }

  #masked(bytes: Buffer): Buffer {
    if (!this.#parts.some((part) => bytes.includes(part))) return bytes;
    const masked = Buffer.from(bytes);
    for (const [start, end] of this.#suspiciousRanges(bytes)) {
      this.#searchedBytes += end - start;
      if (this.#searchedBytes > MAXIMUM_SEARCHED) return this.#withoutParts(masked);
      const text = masked.toString('latin1', start, end);
      for (const [from, to] of secretRanges(text, [this.#key])) {
        masked.fill(STAR, start + from, start + to);
        this.#maskedBytes += to - from;
      }
    }
    return masked;
  }

  /** For a body with so many parts of the key that a search would block other calls: overwrites each part. */
  #withoutParts(bytes: Buffer): Buffer {
    for (const part of this.#parts) {
      for (let at = bytes.indexOf(part); at !== -1; at = bytes.indexOf(part, at + part.length)) {
        bytes.fill(STAR, at, at + part.length);
        this.#maskedBytes += part.length;
      }
    }
    return bytes;
  }

  /** Where the key could be: what is around the parts that were found, in pieces that overlap by the length of a key. */
  #suspiciousRanges(bytes: Buffer): [start: number, end: number][] {
    const found: number[] = [];
    for (const part of this.#parts) {
      for (let at = bytes.indexOf(part); at !== -1; at = bytes.indexOf(part, at + part.length))
        found.push(at);
    }
    const ranges: [number, number][] = [];
    for (const at of found.sort((a, b) => a - b)) {
      const start = Math.max(0, at - this.#maximumLength);
      const end = Math.min(bytes.length, at + this.#maximumLength);
      const last = ranges.at(-1);
      if (last !== undefined && start <= last[1] && end - last[0] <= SEARCHED_BYTES) last[1] = end;
      else ranges.push([start, end]);
    }
    return ranges;
  }

  /** @returns the position from which the bytes may be the beginning of the key */
  #openEnd(bytes: Buffer): number {
    const earliest = Math.max(0, bytes.length - this.#maximumLength);
    let start = bytes.length;
    while (start > earliest && bytes[start - 1]! > this.#separator) start -= 1;
    for (let at = start; at < bytes.length; at += 1) {
      if (this.#isFirst[bytes[at]!] === 0) continue;
      for (const beginning of this.#beginnings) if (beginsAt(bytes, at, beginning)) return at;
    }
    return bytes.length;
  }
}

/** Whether the bytes from there on are the text, or the beginning of it. */
function beginsAt(bytes: Buffer, start: number, text: string): boolean {
  const length = Math.min(text.length, bytes.length - start);
  for (let at = 0; at < length; at += 1) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}
