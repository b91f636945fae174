import { pipeline, type Readable, Transform } from 'node:stream';
import { totalmem } from 'node:os';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem';
import { sendProblem } from '../problems/problem.filter';
import { platformPrefix } from '../requests/paths';

const DEFAULT_BYTES = 256 * 1024 * 1024;
/** A body leaves as soon as its provider responds, so a place is free soon. */
const RETRY_AFTER_SECONDS = '1';

interface BudgetOptions {
  /** Undefined: a quarter of the memory that the process may use, or 256 MiB where nothing limits it. */
  readonly maxBufferedBytes: number | undefined;
  readonly maxBodyBytes: number;
}

/**
 * Limits the bytes of the bodies of calls that are in memory at a time, as Fastify's hook `preParsing`. The sysadmin API has small
 * bodies, and must work when there is too much to do. A body takes its bytes before it is
 * read, or while it arrives if its length is not known, and gives them back when `request.tenkey.releaseBody` is called, at the latest
 * when its response is closed.
 */
export function budgetBodies({ maxBufferedBytes, maxBodyBytes }: BudgetOptions) {
  // The largest body must fit, or it could never be sent.
  let free = Math.max(maxBufferedBytes ?? defaultBytes(), maxBodyBytes);
  const take = ({ tenkey }: FastifyRequest, bytes: number): boolean => {
    if (bytes > free) return false;
    free -= bytes;
    tenkey.holdBody(() => (free += bytes));
    return true;
  };
  return (
    request: FastifyRequest,
    reply: FastifyReply,
    payload: Readable,
    done: (error?: Error | null, payload?: Readable) => void,
  ): void => {
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
    if (length === undefined && coding === undefined) return done();
    if (!request.tenkey.isWithin(platformPrefix)) return done();
    if (length !== undefined) {
      const bytes = Number(length);
      // A body that is too long is refused before it is read.
      if (bytes > maxBodyBytes || take(request, bytes)) return done();
      return sendProblem(request, reply, overloaded());
    }
    const counted = new Transform({
      transform: (part: Buffer, _, next) =>
        take(request, part.length) ? next(null, part) : next(overloaded()),
    });
    // The parser of the body gets the error from the stream that it reads.
    pipeline(payload, counted, () => undefined);
    done(null, counted);
  };
}

function overloaded(): Problem {
  return new Problem('overloaded', {
    detail: 'The bodies of the requests that are running take all the memory that is meant for them.',
    hint: `Try again in ${RETRY_AFTER_SECONDS} s. An operator can raise MAX_BUFFERED_BYTES or start more processes.`,
    retryAfter: RETRY_AFTER_SECONDS,
  });
}

function defaultBytes(): number {
  // Without a limit, Node returns undefined, 0 or a number beyond any memory, depending on the system.
  const limit = process.constrainedMemory() ?? 0;
  return limit > 0 && limit <= totalmem() ? Math.floor(limit / 4) : DEFAULT_BYTES;
}
