/**
 * The structured log: one JSON line per event on standard output.
 *
 * Guarantees: every finished line is searched for the process's own secrets by value, in each spelling that they may have,
 * and for keys by shape; of an error only name, message, stack and causes are written. Does not: decide what is logged.
 */
export { createLog, describeError, type Log, NestLog } from './log';
