import { type Page, type Request } from 'playwright-core';
import { formsOf } from '../support/sentinels';
import { type Visit } from './console';

/** Names the places of a page, and of what the browser keeps for it, in which a secret is. The search ignores case. */
export async function placesWith({ page }: Visit, secret: string): Promise<string[]> {
  const places = { ...(await page.evaluate(everything)), cookies: await readableCookies(page) };
  return Object.entries(places)
    .filter(([, text]) => includes(text, secret))
    .map(([place]) => place);
}

/** The requests that carry a secret in their address, headers or body. */
export async function requestsWith({ requests }: Visit, secret: string): Promise<string[]> {
  const texts = await Promise.all(requests.map(async (each) => [each, await textOf(each)] as const));
  return texts
    .filter(([, text]) => includes(text, secret))
    .map(([each]) => `${each.method()} ${new URL(each.url()).pathname}`);
}

function includes(text: string, secret: string): boolean {
  const lower = text.toLowerCase();
  return formsOf(secret).some(([, form]) => lower.includes(form.toLowerCase()));
}

async function textOf(request: Request): Promise<string> {
  const headers = Object.entries(await request.allHeaders()).map((header) => header.join(': '));
  return [request.url(), ...headers, request.postData() ?? ''].join('\n');
}

/** Cookies that a script can read. */
async function readableCookies(page: Page): Promise<string> {
  const cookies = await page.context().cookies();
  return JSON.stringify(cookies.filter(({ httpOnly }) => !httpOnly));
}

/** Runs in the page. */
async function everything(): Promise<Record<string, string>> {
  const { document, localStorage, sessionStorage, indexedDB, history, location, performance, caches, name } =
    globalThis as any;
  const fields = [...document.querySelectorAll('input, textarea, select')];
  const attributes = [...document.querySelectorAll('*')].flatMap((element: any) =>
    [...element.attributes].map(({ value }: any) => value),
  );
  const readAll = (source: any) =>
    new Promise((resolve, reject) => {
      const request = source.getAll();
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new Error('IndexedDB cannot be read'));
    });
  const databases = [];
  for (const { name: databaseName } of await indexedDB.databases()) {
    const database: any = await new Promise((resolve, reject) => {
      const request = indexedDB.open(databaseName);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(new Error('IndexedDB cannot be opened'));
    });
    for (const store of database.objectStoreNames)
      databases.push(await readAll(database.transaction(store).objectStore(store)));
    database.close();
  }
  return {
    // Not as HTML, in which some characters are written differently.
    document: JSON.stringify([document.documentElement.textContent, ...attributes]),
    fields: JSON.stringify(fields.map(({ value, defaultValue }: any) => [value, defaultValue])),
    title: document.title,
    localStorage: JSON.stringify(localStorage),
    sessionStorage: JSON.stringify(sessionStorage),
    indexedDB: JSON.stringify(databases),
    caches: JSON.stringify(await caches.keys()),
    cookie: document.cookie,
    address: location.href,
    history: JSON.stringify(history.state),
    'window.name': name,
    'resource names': JSON.stringify(performance.getEntries().map((entry: any) => entry.name)),
  };
}
