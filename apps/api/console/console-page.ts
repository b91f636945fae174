import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config } from '#config';

/** A response with the page of the console. */
export interface ConsoleResponse {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The page that loads the console. Everything else that it loads is in the same folder and never changes under its name. */
export class ConsolePage {
  readonly #template: string;

  /** @param folder what apps/console/build.cjs has written */
  constructor(folder: string, { publicUrl, docs }: Pick<Config, 'publicUrl' | 'docs'>) {
    // Without PUBLIC_URL the addresses in the page are relative, so that the path prefix of a proxy stays.
    const base = publicUrl === undefined ? './' : `${new URL(publicUrl).pathname.replace(/\/$/, '')}/`;
    this.#template = readFileSync(join(folder, 'index.html'), 'utf8')
      .replace('{base}', base)
      .replace('{docs}', docs ? 'yes' : 'no');
  }

  /** @param hasSession whether the browser sent the cookie of a session; the page asks for the session only then */
  respond(hasSession: boolean): ConsoleResponse {
    const nonce = randomBytes(16).toString('base64');
    return {
      html: this.#template.replace('{nonce}', nonce).replace('{session}', hasSession ? 'yes' : 'no'),
      headers: {
        'content-type': 'text/html; charset=utf-8',
        // The nonce is for one response.
        'cache-control': 'no-store',
        'content-security-policy': policyOf(nonce),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'permissions-policy': 'camera=(), geolocation=(), microphone=()',
      },
    };
  }
}

/**
 * Scripts come only from Tenkey itself, and none is in the page. The library of components adds style sheets, for which it has the
 * nonce, and sets the style attributes of single elements.
 */
function policyOf(nonce: string): string {
  return [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self' 'nonce-${nonce}'`,
    `style-src-attr 'unsafe-inline'`,
    `img-src 'self' data:`,
    `connect-src 'self'`,
    `base-uri 'self'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ');
}
