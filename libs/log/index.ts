/**
 * The structured log: one JSON line per event on standard output, or readable text if that is a terminal.
 *
 * Guarantees: every line is searched for the secrets of the process in any usual spelling, and for keys by their shape; of
 * an error only name, message, stack and causes are written. Does not: decide what is logged.
 */
export { createLog, describeError, type Log, NestLog, standardOutput } from './log';
