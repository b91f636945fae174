import { type FastifyRequest } from 'fastify';
import { type Secret } from '#crypto';
import { Problem } from '../problems/problem';

/** The cookie with the token of the console's session. No script can read it. */
export const sessionCookieName = 'tenkey_session';

/** Not preceded by another name, up to the next cookie. No part of the pattern can match in two ways, so its time is linear. */
const pattern = new RegExp(`(?:^|;)[ \\t]*${sessionCookieName}=([^;]*)`);

/**
 * The token of the session; undefined if there is none. A browser separates cookies with semicolons, which no value contains, so
 * quotes do not protect one. Of several cookies with this name, a browser sends the one with the longest path first (RFC 6265, 5.4).
 */
export function sessionTokenOf({ headers: { cookie } }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const value = pattern.exec(cookie ?? '')?.[1]?.trim();
  return value?.replace(/^"(.*)"$/, '$1') || undefined;
}

/** Whether the browser sent a session, which may have ended. */
export function hasSessionCookie(request: Pick<FastifyRequest, 'headers'>): boolean {
  return sessionTokenOf(request) !== undefined;
}

/**
 * The header Set-Cookie for a new session.
 * @param publicUrl the address of Tenkey for its clients, if it is known
 */
export function sessionCookie(publicUrl: string | undefined, token: Secret, maxAgeSeconds: number): string {
  return cookieOf(publicUrl, token.expose(), maxAgeSeconds);
}

/** The header Set-Cookie that makes a browser forget the session. */
export function clearedSessionCookie(publicUrl: string | undefined): string {
  return cookieOf(publicUrl, '', 0);
}

/** A browser replaces a cookie only by one with the same path, so both headers are made here. */
function cookieOf(publicUrl: string | undefined, value: string, maxAgeSeconds: number): string {
  const { pathname, protocol } = new URL(publicUrl ?? 'http://localhost');
  const attributes = `Path=${pathname}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict`;
  return `${sessionCookieName}=${value}; ${attributes}${protocol === 'https:' ? '; Secure' : ''}`;
}

/** For a session that has ended, and for a text that never was the token of one: nobody can tell the two apart. */
export function sessionEnded(publicUrl: string | undefined): Problem {
  return new Problem('unauthenticated', {
    detail: 'The session has ended.',
    hint: 'Sign in again, or send X-API-Key.',
    headers: { 'set-cookie': clearedSessionCookie(publicUrl) },
  });
}

/**
 * Refuses a request that another site may have made the browser send. SameSite=Strict keeps the cookie out of such requests; this is
 * the second line, for browsers that do not know it and for other hosts of the same site. A page of another origin cannot send
 * X-Tenkey-Console, because a browser asks the server before it sends such a header, and this API has no CORS that would allow it.
 * A link to a download cannot send it either, so a request that only reads does not need it.
 * @throws Problem forbidden
 */
export function refuseOtherSites({ headers, tenkey }: FastifyRequest): void {
  const { 'sec-fetch-site': site, 'x-tenkey-console': fromConsole } = headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new Problem('forbidden', {
      detail: 'A page of another origin made this request, and a session is for the pages of Tenkey itself.',
      hint: 'Open the console at the address of Tenkey, or send X-API-Key.',
    });
  }
  if (tenkey.isChange && fromConsole !== '1') {
    throw new Problem('forbidden', {
      detail: 'A change with a session needs the header X-Tenkey-Console.',
      hint: 'Send X-Tenkey-Console: 1, or send X-API-Key in place of the session.',
    });
  }
}
