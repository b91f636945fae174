import { type LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger, pino } from 'pino';
import { removeKeyShapes, type Secret } from '#crypto';

/** The structured log: one JSON line per event on standard output. */
export type Log = Logger;

/**
 * Secrets cannot print themselves (crypto/secret.ts); this is the last line behind that: each finished line is searched
 * for the process's own secrets by value and for key formats by shape.
 * @param destination where lines go; standard output unless a test collects them
 */
export function createLog(
  level: string,
  secrets: readonly Secret[],
  destination: DestinationStream = process.stdout,
): Log {
  const filter = lineFilter(secrets);
  const filtered: DestinationStream = { write: (line) => destination.write(filter(line)) };
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: describeError } },
    filtered,
  );
}

/** Cleans finished lines. A line with something in it is cleaned value by value, so that it stays JSON. */
function lineFilter(secrets: readonly Secret[]): (line: string) => string {
  const texts = secrets.map((secret) => secret.expose());
  // The longest first: a spelling may begin with another.
  const forms = [...new Set(texts.flatMap(spellingsOf))].sort((a, b) => b.length - a.length);
  const lists = texts.map((text) => new RegExp(`(?<!\\d)${[...Buffer.from(text)].join(',')}(?!\\d)`, 'g'));
  const clean = (text: string) =>
    removeKeyShapes(forms.reduce((cleaned, form) => cleaned.replaceAll(form, () => '[secret]'), text));
  return (raw) => {
    const line = lists.reduce((cleaned, list) => cleaned.replaceAll(list, '"[secret]"'), withoutBytes(raw));
    if (clean(line) === line) return line;
    const value: unknown = JSON.parse(line, (_, each: unknown) =>
      typeof each === 'string' ? clean(each) : each,
    );
    return `${JSON.stringify(value)}\n`;
  };
}

/** Nobody reads bytes in a log, and no search for a text finds one in them. */
function withoutBytes(line: string): string {
  return line
    .replace(/\{"type":"Buffer","data":\[[\d,]*\]\}/g, '"[bytes]"')
    .replace(/\{"0":\d{1,3}(?:,"\d+":\d{1,3})*\}/g, '"[bytes]"');
}

/** A text as it may stand in another: as it is, in JSON, in a URL, in hexadecimal, in base64 at each place of a group. */
function spellingsOf(text: string): string[] {
  const inJson = (inner: string) => JSON.stringify(inner).slice(1, -1);
  const hex = Buffer.from(text).toString('hex');
  const base64 = [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]);
    // Without the characters that the bytes beside it share.
    const [from, to] = [Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6)];
    return bytes.toString('base64').slice(from, to);
  });
  const url = base64.map((core) => core.replaceAll('+', '-').replaceAll('/', '_'));
  const escaped = [text, inJson(text), inJson(inJson(text)), inJson(inJson(inJson(text)))];
  return [...escaped, encodeURIComponent(text), hex, hex.toUpperCase(), ...base64, ...url];
}

/** Name, message and stack of an error and its causes; never the objects that libraries attach (requests, headers). */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}

/** Nest's messages, and those that our classes write with its Logger, through the same log. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Log) {}
  /** What Nest tells of its own start, under the names of its classes, is nobody's business; ours begin in lower case. */
  log(message: unknown, context?: unknown): void {
    const isOurs = typeof context === 'string' && /^[a-z]/.test(context);
    this.logger[isOurs ? 'info' : 'debug'](String(message));
  }
  error(message: unknown): void {
    this.logger.error(message instanceof Error ? { err: message } : { detail: String(message) }, 'framework');
  }
  warn(message: unknown): void {
    this.logger.warn(String(message));
  }
  debug(message: unknown): void {
    this.logger.trace(String(message));
  }
  verbose(message: unknown): void {
    this.logger.trace(String(message));
  }
}
