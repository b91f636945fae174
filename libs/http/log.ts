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
  const plain = secrets.map((secret) => secret.expose());
  // As they stand in a JSON line: quotes and backslashes are escaped there.
  const spelt = plain.map((secret) => JSON.stringify(secret).slice(1, -1));
  const clean = (text: string, forms: readonly string[]) =>
    removeKeyShapes(forms.reduce((cleaned, form) => cleaned.replaceAll(form, () => '[secret]'), text));
  return (line) => {
    if (clean(line, spelt) === line) return line;
    const value: unknown = JSON.parse(line, (_, each: unknown) =>
      typeof each === 'string' ? clean(each, plain) : each,
    );
    return `${JSON.stringify(value)}\n`;
  };
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

/** Nest's own messages through the same log. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Log) {}
  log(message: unknown): void {
    this.logger.debug(String(message));
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
