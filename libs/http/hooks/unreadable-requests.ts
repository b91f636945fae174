import { type Socket } from 'node:net';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem';
import { sendProblem } from '../problems/problem.filter';
import { type RequestHook } from './begin-request';

/**
 * Fastify's option `frameworkErrors`. A path that the router cannot decode runs no hook, so the request begins here and its key is
 * looked up.
 */
export function refuseUnreadablePath(begin: RequestHook, authenticate: RequestHook) {
  return (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    const refuse = () =>
      sendProblem(request, reply, new Problem('malformed_request', { cause: new Error(error.name) }));
    begin(request, reply, () => authenticate(request, reply, refuse));
  };
}

/** Fastify's option `clientErrorHandler`, for bytes that Node cannot read as HTTP. There is no request, and so no request id. */
export function refuseUnreadableBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) return;
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const status = isTooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const { code, title } = new Problem('malformed_request');
  const body = JSON.stringify({ title, code });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}
