import { type LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger, pino } from 'pino';
import { removeKeyShapes, replaceRanges, type Secret, secretRanges } from '#crypto';

/** The structured log: one JSON line per event. */
export interface Log extends Logger {
  /**
   * For frequent lines whose values Tenkey has made itself: ids, names, numbers. They are searched only for the secrets of the
   * process as they are.
   */
  readonly known: Logger;
}

/** Joins the lines of one turn of the event loop to one write: at many requests per second, each write counts. */
class TurnWriter implements DestinationStream {
  #lines = '';

  constructor(private readonly stream: DestinationStream) {
    process.on('exit', () => this.#flush());
  }

  write(line: string): void {
    if (this.#lines === '') setImmediate(() => this.#flush());
    this.#lines += line;
  }

  #flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.stream.write(lines);
  }
}

/** Standard output: JSON lines, or readable text if it is a terminal. */
export async function standardOutput(): Promise<DestinationStream> {
  const writer = new TurnWriter(process.stdout);
  if (!process.stdout.isTTY) return writer;
  const toText = await textForTerminal();
  return { write: (line) => writer.write(toText(line)) };
}

/** Turns a line of the log into text that people read: one line, and the stack of an error below it. */
export async function textForTerminal(): Promise<(line: string) => string> {
  // Loaded only here, because a service whose log goes elsewhere does not need it.
  const { prettyFactory } = await import('pino-pretty');
  const options = { translateTime: 'SYS:HH:MM:ss', singleLine: true };
  const other = prettyFactory(options);
  const request = prettyFactory({
    ...options,
    ignore: 'method,path,status,duration_ms',
    messageFormat: '{method} {path} {status} in {duration_ms} ms',
  });
  return (line) => (line.endsWith('"msg":"request"}\n') ? request(line) : other(line));
}

/**
 * A `Secret` cannot print itself. This is the second line of defence: every finished line is searched for the secrets of
 * the process in any usual spelling, also cut, and for everything that has the shape of a key.
 * @param destination where the lines go: `standardOutput()`; tests collect them
 */
export function createLog(level: string, secrets: readonly Secret[], destination: DestinationStream): Log {
  const texts = secrets.map((secret) => secret.expose());
  const searched = { write: (line: string) => destination.write(cleanLine(line, secrets)) };
  const known = {
    write: (line: string) =>
      texts.some((text) => line.includes(text)) ? searched.write(line) : destination.write(line),
  };
  const to = (stream: DestinationStream) =>
    pino(
      { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: describeError } },
      stream,
    );
  return Object.assign(to(searched), { known: to(known) });
}

/** An id of a client may have the shape of a hexadecimal key. That it is none was checked where it was read. */
const checkedField = 'client_request_id';

/** A line that contains something to remove is cleaned value by value, so that it stays valid JSON. */
function cleanLine(written: string, secrets: readonly Secret[]): string {
  // A provider or a library may have cut what it repeats.
  const rangesIn = (text: string) => secretRanges(text, secrets, { fragments: true });
  const hasSecret = (text: string) => rangesIn(text).length > 0;
  const line = withoutBytes(written);
  if (!hasSecret(line) && removeKeyShapes(line) === line) return line;
  const value: unknown = JSON.parse(line, (name, each: unknown) => {
    if (typeof each === 'string') {
      const withoutSecrets = replaceRanges(each, rangesIn(each), '[secret]');
      return name === checkedField ? withoutSecrets : removeKeyShapes(withoutSecrets);
    }
    // A secret may be written as the list of its bytes.
    const isListOfBytes = Array.isArray(each) && each.every((item) => typeof item === 'number');
    return isListOfBytes && hasSecret(each.join(',')) ? '[secret]' : each;
  });
  return `${JSON.stringify(value)}\n`;
}

/** Bytes are of no use in a log, and a search for text would not find a secret in them. */
function withoutBytes(line: string): string {
  return line
    .replace(/\{"type":"Buffer","data":\[[\d,]*\]\}/g, '"[bytes]"')
    .replace(/\{"0":\d{1,3}(?:,"\d+":\d{1,3})*\}/g, '"[bytes]"');
}

/** The name, message and stack of an error and its causes, without the objects that libraries attach, such as requests. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}

/** Writes the messages of Nest, and those that our classes write with Nest's Logger, to the same log. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Log) {}
  /** Nest's own messages about its start have the name of a class as context and are only debug messages; ours are lower case. */
  log(message: unknown, context?: unknown): void {
    const isOurs = typeof context === 'string' && /^[a-z]/.test(context);
    this.logger[isOurs ? 'info' : 'debug'](String(message));
  }
  error(message: unknown, ...more: unknown[]): void {
    // Nest throws such an error as well, and apps/api/main.ts logs it.
    if (more.at(-1) === 'ExceptionHandler') return;
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
