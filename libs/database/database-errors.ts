import { QueryFailedError } from 'typeorm';

const codes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  '53300', // too_many_connections
  '25P03', // idle_in_transaction_session_timeout
  '40P01', // deadlock_detected
  '55P03', // lock_not_available: lock_timeout
  '57014', // query_canceled: statement_timeout
]);

/** node-postgres and its pool report these without a code. */
const messages =
  /connection terminated|timeout exceeded when trying to connect|timeout expired|connection ended unexpectedly|client has encountered a connection error|client was closed and is not queryable|driver not connected|cannot use a pool after calling end/i;

/**
 * Is the database away, so that the same request may succeed later? Class 08 (connection exception), 57P0x (operator
 * intervention: shut down, starting up), too many connections, what waited too long for somebody else, and what sockets and
 * the pool report. A query that was answered with an error of its own (constraint, syntax) is not.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  return isUnavailable(error, 0);
}

/** The SQLSTATE of a statement that failed; undefined for whatever else went wrong. */
export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof QueryFailedError ? (error.driverError as { code?: string }).code : undefined;
}

/** Did the commit itself fail, so that it may have been done and only its answer was lost? Before it, nothing is changed. */
export function mayBeCommitted(error: unknown): boolean {
  return error instanceof QueryFailedError && error.query === 'COMMIT';
}

function isUnavailable(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false;
  const { code, syscall, message, driverError, cause, errors } = error as Record<string, unknown>;
  if (typeof code === 'string') {
    if (codes.has(code) || /^(08...|57P0.)$/.test(code)) return true;
    // A socket that is not there; a missing file is ENOENT too, but not from connect().
    if (code === 'ENOENT' && syscall === 'connect') return true;
  }
  if (typeof message === 'string' && messages.test(message)) return true;
  const nested = [driverError, cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return nested.some((inner) => isUnavailable(inner, depth + 1));
}
