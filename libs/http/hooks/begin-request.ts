import { type FastifyReply, type FastifyRequest } from 'fastify';
import { isAddress, isAmong } from '#config';
import { type Secret } from '#crypto';
import { type Log } from '#log';
import { type BodyMemory, MemoryShare } from '../bodies/body-memory';
import { type ProblemListener, RequestContext } from '../request-context';
import { clientRequestIdOf } from '../requests/client-request-id';
import { logLateProblem, logRequest, statusOf } from './request-log';
import { type RunningRequests } from './running-requests';

/** A hook that Fastify calls as `onRequest`. */
export type RequestHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * Begins a request: creates `request.tenkey`, waits for the request's turn on its connection, counts it as running and has it
 * logged at its end.
 * @param proxies addresses and ranges of the proxies whose X-Forwarded-For is trusted
 * @param memory for the bodies of all requests
 * @param secrets of the process: an id of the client that contains one is ignored
 * @param publicUrl the address of Tenkey for its clients, if it is known
 * @param onProblem is called for each problem, before the log is
 * @param onEnd is called once for each request, with the status of its response
 */
export function beginRequest({
  proxies,
  memory,
  running,
  secrets,
  publicUrl,
  log,
  onProblem,
  onEnd,
}: {
  readonly proxies: readonly string[];
  readonly memory: BodyMemory;
  readonly running: RunningRequests;
  readonly secrets: readonly Secret[];
  readonly publicUrl: string | undefined;
  readonly log: Log;
  readonly onProblem: ProblemListener;
  readonly onEnd: (request: FastifyRequest, status: number) => void;
}): RequestHook {
  const listeners = [onProblem, logLateProblem(log)];
  const begin: RequestHook = (request, reply, done) => {
    const { tenkey } = request;
    tenkey.startedAt = performance.now();
    running.add(tenkey);
    reply.raw.once('close', () => {
      running.delete(tenkey);
      tenkey.memory.close();
      if (!reply.raw.writableFinished) tenkey.cancel();
      logRequest(log, request, reply);
      onEnd(request, statusOf(reply));
      tenkey.isClosed = true;
    });
    reply.header('x-tenkey-request-id', request.id);
    tenkey.clientRequestId = clientRequestIdOf(request.headers, () => tenkey.presentedKeys, secrets);
    if (tenkey.clientRequestId !== undefined) reply.header('x-client-request-id', tenkey.clientRequestId);
    // The client, such as a load balancer, must not send its next request on a connection that is about to be closed.
    if (running.isStopping) reply.raw.setHeader('connection', 'close');
    done();
  };
  return (request, reply, done) => {
    // Read the address now: a connection that the client has reset no longer has it.
    const address = addressOf(request, proxies);
    request.tenkey = new RequestContext(
      request,
      address,
      new MemoryShare(memory, () => tenantOf(request)),
      listeners,
      publicUrl,
    );
    // A client may send several requests without waiting for the responses. A response gets its socket when the previous one is
    // finished, and Node emits no 'close' for a response that never gets one, so nothing may start before that.
    if (reply.raw.socket !== null) begin(request, reply, done);
    else reply.raw.once('socket', () => begin(request, reply, done));
  };
}

/**
 * The address of the peer, or the one that a trusted proxy names, if that is an address. Fastify's `ip` is of no use here: it
 * trusts no proxy when the path cannot be read.
 */
function addressOf(request: FastifyRequest, proxies: readonly string[]): string | undefined {
  const peer = request.raw.socket.remoteAddress;
  if (peer === undefined || !isAmong(peer, proxies)) return peer;
  // Each proxy appends the address that it saw, so everything before the last address that is not a proxy is only claimed.
  const forwarded = String(request.headers['x-forwarded-for'] ?? '').split(',');
  const hops = forwarded.map((text) => text.trim()).reverse();
  const client = hops.find((text) => !isAmong(text, proxies)) ?? hops.at(-1);
  return client !== undefined && isAddress(client) ? client : peer;
}

/** The tenant whose bodies they are. With the platform key, the guard that reads the header runs only after the body has arrived. */
function tenantOf({ tenkey, headers }: FastifyRequest): string {
  return tenkey.tenantId ?? String(headers['x-tenant-id'] ?? '').toLowerCase();
}
