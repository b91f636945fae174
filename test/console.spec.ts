import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTestApp, superKey, type TestApp } from './support/app';
import { builtConsole } from './support/built-console';

const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'accept-encoding': 'gzip, br' };

describe('the console', () => {
  let tenkey: TestApp;
  let folder: string;
  beforeAll(async () => {
    folder = await builtConsole();
    tenkey = await startTestApp({}, { consoleFolder: folder });
  }, 180_000);
  afterAll(() => tenkey?.close());

  const page = (headers: Record<string, string> = {}) =>
    tenkey
      .http()
      .get('/')
      .set({ ...asBrowser, ...headers });
  /** The addresses of the files that a page loads. */
  const filesIn = (html: string) =>
    [...html.matchAll(/(?:src|href)="(console\/[^"]+)"/g)].map(([, path]) => path!);

  it('is what a browser gets at /, and other clients get the addresses', async () => {
    const { status, type, text, headers } = await page();
    expect([status, type, headers.vary]).toEqual([200, 'text/html', 'accept']);
    expect(text).toContain('<div id="console">');
    expect(text).not.toMatch(/\{\w+\}/);
    expect((await tenkey.http().get('/')).body).toMatchObject({ service: 'Tenkey' });
  });

  it('allows scripts only from Tenkey, and style sheets of the page with a nonce of one response', async () => {
    const pages = [await page(), await page()];
    const nonces = pages.map(({ text, headers }) => {
      const [, nonce] = /<meta property="csp-nonce" nonce="([^"]{20,})"/.exec(text) ?? [];
      expect(headers['content-security-policy']?.split('; ')).toEqual([
        `default-src 'none'`,
        `script-src 'self'`,
        `style-src 'self' 'nonce-${nonce}'`,
        `style-src-attr 'unsafe-inline'`,
        `img-src 'self' data:`,
        `connect-src 'self'`,
        `base-uri 'self'`,
        `form-action 'none'`,
        `frame-ancestors 'none'`,
      ]);
      return nonce;
    });
    expect(new Set(nonces).size).toBe(2);
    expect(pages[0]!.text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|https?:\/\//);
    expect(pages[0]!.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    });
  });

  it('loads files whose names have a hash, which a browser keeps, compressed', async () => {
    const files = filesIn((await page()).text);
    expect(files).toHaveLength(3);
    for (const path of files) {
      const { status, headers } = await tenkey.http().get(`/${path}`).set(asBrowser);
      expect([path, status]).toEqual([path, 200]);
      expect(path).toMatch(/-[0-9A-Z]{8}\.(js|css|svg)$/);
      expect(headers).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        'x-content-type-options': 'nosniff',
      });
      if (!path.endsWith('.svg')) expect(headers['content-encoding']).toBe('br');
    }
    const script = files.find((path) => path.endsWith('.js'))!;
    const plain = await tenkey.http().get(`/${script}`).set('accept-encoding', 'identity').buffer(true);
    expect(plain.text).toBe(readFileSync(join(folder, 'files', script.replace('console/', '')), 'utf8'));
  });

  it.each([
    '/console',
    '/console/',
    '/console/index.html',
    '/console/nothing.js',
    '/console/..%2f..%2fpackage.json',
  ])('serves nothing else, such as %s', async (path) => {
    const { status, body } = await tenkey.http().get(path).set(asBrowser);
    expect([status, body.code]).toEqual([404, 'route_not_found']);
  });

  it('asks for a session only if the browser has one', async () => {
    expect((await page()).text).toContain('<meta name="session" content="no"');
    expect((await page({ cookie: 'tenkey_session=anything' })).text).toContain(
      '<meta name="session" content="yes"',
    );
  });

  it('holds nothing of the installation', async () => {
    const { text } = await page({ 'x-api-key': superKey });
    expect(text).not.toContain(superKey);
  });

  it.each([
    [undefined, './'],
    ['https://platform.example', '/'],
    ['https://platform.example/tenkey', '/tenkey/'],
  ])('with PUBLIC_URL=%s loads its files below %s', async (publicUrl, base) => {
    const app = await startTestApp({ PUBLIC_URL: publicUrl }, { consoleFolder: folder });
    try {
      expect((await app.http().get('/').set(asBrowser)).text).toContain(`<base href="${base}"`);
    } finally {
      await app.close();
    }
  });

  it('is switched off with CONSOLE=false', async () => {
    const app = await startTestApp({ CONSOLE: 'false' }, { consoleFolder: folder });
    try {
      const { status, headers } = await app.http().get('/').set(asBrowser);
      expect([status, headers.location]).toEqual([302, 'docs']);
      const [file] = filesIn((await page()).text);
      expect((await app.http().get(`/${file}`)).status).toBe(404);
    } finally {
      await app.close();
    }
  });
});
