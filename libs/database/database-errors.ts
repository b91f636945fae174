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

/** The errors with which an attempt to connect has ended. */
const ofConnecting = new WeakSet<object>();

/** Notes that an attempt to connect has ended with this error. */
export function noteFailedConnection(error: object): void {
  ofConnecting.add(error);
}

/**
 * Whether the database is unavailable, so that the same request may succeed later: it cannot be connected to, whatever the reason;
 * it refuses the login, which a pooler reports in place of a result, or every change; or one of the temporary errors below. An error
 * in the statement itself, such as a violated constraint, does not count.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  return isTemporary(error) || isAny(error, (each) => ofConnecting.has(each) || isRefused(each));
}

/**
 * Whether the database is unavailable for a reason that may pass by itself: class 08 (connection exception), 57P0x (operator
 * intervention: shutting down, starting up), class 53 (too many connections, a full disk, no memory), timeouts, deadlocks, and the
 * errors of sockets and of the pool.
 */
export function isTemporary(error: unknown): boolean {
  return isAny(error, ({ code, syscall, message }) => {
    if (typeof code === 'string') {
      if (codes.has(code) || /^(08...|53...|57P0.)$/.test(code)) return true;
      // A missing socket. A missing file is ENOENT too, but not from connect().
      if (code === 'ENOENT' && syscall === 'connect') return true;
    }
    return typeof message === 'string' && messages.test(message);
  });
}

/**
 * For a look whether there is something to do: there is not while the database is unavailable. That has its own line in the log.
 * @throws any other error
 */
export function falseIfUnavailable(error: unknown): false {
  if (isDatabaseUnavailable(error)) return false;
  throw error;
}

/** The SQLSTATE of a statement that failed; undefined for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof QueryFailedError ? (error.driverError as { code?: string }).code : undefined;
}

/** Whether the commit itself failed, so that the change may be stored. After an earlier failure nothing has changed. */
export function mayBeCommitted(error: unknown): boolean {
  return error instanceof QueryFailedError && error.query === 'COMMIT';
}

/** Whether a transaction failed because of what its statements say: it broke a constraint. */
export function breaksConstraint(error: unknown): boolean {
  return sqlStateOf(error)?.startsWith('23') === true;
}

/** Class 28: the login is refused. 25006: the database is read-only. */
function isRefused({ code }: Record<string, unknown>): boolean {
  return typeof code === 'string' && /^(28...|25006)$/.test(code);
}

/** Whether it holds for an error, or for one of those that it wraps. */
function isAny(error: unknown, holds: (each: Record<string, unknown>) => boolean, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false;
  const each = error as Record<string, unknown>;
  if (holds(each)) return true;
  const { driverError, cause, errors } = each;
  const nested = [driverError, cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return nested.some((inner) => isAny(inner, holds, depth + 1));
}
