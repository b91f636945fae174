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
  '25P03', // idle_in_transaction_session_timeout
  '40P01', // deadlock_detected
  '55P03', // lock_not_available: lock_timeout
  '57014', // query_canceled: statement_timeout
]);

/**
 * The errors that node-postgres, its pool and TypeORM report without a code. TypeORM releases the query runner of a transaction
 * whose connection is lost, and then refuses the next statement.
 */
const messages =
  /connection terminated|timeout exceeded when trying to connect|timeout expired|connection ended unexpectedly|client has encountered a connection error|client was closed and is not queryable|driver not connected|cannot use a pool after calling end|query runner (was )?already released/i;

/**
 * Whether the database is unavailable, so that the same request may succeed later: class 08 (connection exception), 57P0x
 * (operator intervention: shutting down, starting up), class 53 (too many connections, a full disk, no memory), timeouts, deadlocks,
 * and the errors of sockets and of the pool. An error in the statement itself, such as a violated constraint, does not count.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  return isUnavailable(error, 0);
}

/** The SQLSTATE of a statement that failed; undefined for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof QueryFailedError ? (error.driverError as { code?: string }).code : undefined;
}

/** Whether a statement failed because the disk of the database is full. Reading still works then. */
export function isDiskFull(error: unknown): boolean {
  return sqlStateOf(error) === '53100';
}

/** Whether the commit itself failed, so that the change may be stored. After an earlier failure nothing has changed. */
export function mayBeCommitted(error: unknown): boolean {
  return error instanceof QueryFailedError && error.query === 'COMMIT';
}

function isUnavailable(error: unknown, depth: number): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false;
  const { code, syscall, message, driverError, cause, errors } = error as Record<string, unknown>;
  if (typeof code === 'string') {
    if (codes.has(code) || /^(08...|53...|57P0.)$/.test(code)) return true;
    // A missing socket. A missing file is ENOENT too, but not from connect().
    if (code === 'ENOENT' && syscall === 'connect') return true;
  }
  if (typeof message === 'string' && messages.test(message)) return true;
  const nested = [driverError, cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return nested.some((inner) => isUnavailable(inner, depth + 1));
}
