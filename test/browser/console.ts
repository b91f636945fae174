import { readFileSync } from 'node:fs';
import {
  type Browser,
  type BrowserContextOptions,
  type Locator,
  type Page,
  type Request,
} from 'playwright-core';
import { shippedModelsFile } from '#model-routing';
import { seedTenants, type SeededTenant } from '../demo/console/seed';
import { sysadminApi } from '../demo/console/sysadmin-api';
import { seedUsage } from '../demo/console/usage';
import { startTestApp, superKey, type TestApp } from '../support/app';
import { builtConsole } from '../support/built-console';
import { launchBrowser } from './browser';

/** A service with the console and the data of the demo, and a browser. */
export interface ConsoleHost {
  readonly tenkey: TestApp;
  readonly origin: string;
  readonly tenants: readonly SeededTenant[];
  readonly open: (options?: BrowserContextOptions) => Promise<Visit>;
}

/** A page of a browser without cookies, and what it did. */
export interface Visit {
  readonly page: Page;
  readonly requests: readonly Request[];
  /** What the browser complains about: errors of scripts, violations of the Content-Security-Policy, and requests that were refused with 403. */
  readonly complaints: readonly string[];
}

/** Long enough for the build that may come first. */
const START_MS = 300_000;

export interface ConsoleData {
  /** How many tenants there are. */
  readonly tenants: number;
  /** With calls of the last 14 days. */
  readonly usage?: boolean;
  /** Settings of the service. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A describe() whose tests share one service, which starts before them. Use `console` inside hooks and tests only. */
export function describeConsole(
  title: string,
  data: ConsoleData,
  specs: (console: ConsoleHost) => void,
): void {
  describe(title, () => {
    const started = {} as ConsoleHost;
    let browser: Browser | undefined;
    beforeAll(async () => {
      const tenkey = await startConsole(data.env);
      const origin = originOf(tenkey);
      browser = await launchBrowser();
      const target = { ...tenkey, api: sysadminApi(origin, superKey) };
      const tenants = await seedTenants(target, data.tenants);
      if (data.usage === true) await seedUsage(target, tenants);
      const open = (options?: BrowserContextOptions) => visit(browser!, options);
      Object.assign(started, { tenkey, origin, tenants, open });
    }, START_MS);
    specs(started);
    afterAll(async () => {
      await browser?.close();
      await started.tenkey?.close();
    });
  });
}

export async function startConsole(env: Readonly<Record<string, string>> = {}): Promise<TestApp> {
  const models = readFileSync(shippedModelsFile(), 'utf8');
  return startTestApp({ LOG_LEVEL: 'info', ...env }, { models, consoleFolder: await builtConsole() });
}

export function originOf({ nest }: TestApp): string {
  return `http://127.0.0.1:${(nest.getHttpServer().address() as { port: number }).port}`;
}

export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Stockholm',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const requests: Request[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('response', (response) => {
    if (response.status() === 403)
      complaints.push(`403 for ${response.request().method()} ${response.url()}`);
  });
  page.on('console', (message) => {
    // The browser reports the status of each response that is no success.
    const isStatus = message.text().startsWith('Failed to load resource: the server responded');
    if (['error', 'warning'].includes(message.type()) && !isStatus) complaints.push(message.text());
  });
  await page.addInitScript(() =>
    (globalThis as any).document.addEventListener('securitypolicyviolation', (violation: any) =>
      console.error(`Content-Security-Policy: ${violation.violatedDirective} ${violation.blockedURI}`),
    ),
  );
  return { page, requests, complaints };
}

/** Opens an address of the console, such as `/tenants`, and signs in there. */
export async function signIn(page: Page, origin: string, path = '/', key = superKey): Promise<void> {
  await page.goto(`${origin}/#${path}`);
  await keyField(page).fill(key);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
}

/** The only field of the page of sign-in. */
export const keyField = (page: Page) => page.getByRole('textbox', { name: 'Key', exact: true });

/** Opens another page of the console in which one is signed in, and waits until it is complete. */
export async function goTo(page: Page, path: string, title: string | RegExp): Promise<void> {
  await page.evaluate((hash) => void ((globalThis as any).location.hash = hash), path);
  await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  await settled(page);
}

/** Waits until a page is shown in which nothing is loading. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const { document } = globalThis as any;
    return document.querySelector('h1') !== null && document.querySelector('[aria-label="Loading"]') === null;
  });
}

/** The address of the page within the console. */
export const pathOf = (page: Page) => new URL(page.url()).hash.slice(1);

/** The address within the console to which a link leads. */
export const hashOf = (link: Locator): Promise<string> => link.evaluate(({ hash }: any) => hash);
