import { type IncomingHttpHeaders } from 'node:http';
import { looksLikeKey, type Secret } from '#crypto';

const pattern = /^[A-Za-z0-9._:-]{1,128}$/;

/**
 * The client's own id of a request. X-Client-Request-Id comes first: only clients send it, while proxies set X-Request-ID too.
 * @param presentedKeys of the same request
 * @param secrets of the process
 * @returns undefined when neither header has a valid id. An id is logged and stored, so one that is a key is not valid
 */
export function clientRequestIdOf(
  headers: IncomingHttpHeaders,
  presentedKeys: () => readonly string[],
  secrets: readonly Secret[],
): string | undefined {
  const { 'x-client-request-id': own, 'x-request-id': common } = headers;
  if (own === undefined && common === undefined) return undefined;
  const isValid = (id: unknown): id is string =>
    typeof id === 'string' &&
    pattern.test(id) &&
    !looksLikeKey(id) &&
    // A key that is sent without a scheme is no presented key.
    id !== headers.authorization &&
    !presentedKeys().includes(id) &&
    !secrets.some((secret) => id.includes(secret.expose()));
  return [own, common].find(isValid);
}
