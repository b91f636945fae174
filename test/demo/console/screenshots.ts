import 'reflect-metadata';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { complain, say } from '../output';
import { type CleanUp } from '../stage';
import { type SeededTenant } from './seed';
import { fill, start } from './service';

const folder = join(process.cwd(), 'docs/console');
const width = 1280;

interface Picture {
  readonly file: string;
  /** The address within the console. */
  readonly path: string;
  /** Of the page's heading: an address that is no page leads to Today. */
  readonly title: string | RegExp;
  readonly height: number;
}

/** The pictures of docs/console.md. */
function picturesOf(tenants: readonly SeededTenant[]): readonly Picture[] {
  const withIncident = (incident: string) => {
    const { id, credentials } = tenants.find((tenant) => tenant.incident === incident)!;
    return { id, provider: credentials[0]!.provider };
  };
  const staged = withIncident('staged');
  const large = tenants.find(({ name }) => name === 'sundsvall')!;
  return [
    { file: 'today', path: '/', title: 'Today', height: 1240 },
    { file: 'tenants', path: '/tenants', title: 'Tenants', height: 640 },
    { file: 'tenant', path: `/tenants/${large.id}`, title: large.name, height: 860 },
    {
      file: 'replace',
      path: `/tenants/${staged.id}/replace/${staged.provider}`,
      title: /^Replace the /,
      height: 720,
    },
    { file: 'usage', path: '/usage', title: 'Usage', height: 800 },
    { file: 'calls', path: '/calls', title: 'Calls', height: 640 },
    { file: 'models', path: '/models', title: 'Models', height: 560 },
    { file: 'audit', path: '/audit', title: 'Audit', height: 760 },
    { file: 'access', path: '/access', title: 'Access', height: 860 },
    { file: 'encryption', path: '/encryption', title: 'Encryption', height: 960 },
  ];
}

/** Takes the pictures of docs/console.md from the data of the demo. */
async function main(): Promise<void> {
  const cleanUps: CleanUp[] = [];
  const faults: unknown[] = [];
  try {
    const stage = await start(cleanUps);
    const { tenants } = await fill(stage);
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    });
    cleanUps.push(() => browser.close());
    const page = await browser.newPage({
      viewport: { width, height: 800 },
      colorScheme: 'light',
      reducedMotion: 'reduce',
      locale: 'en-GB',
      timezoneId: 'Europe/Stockholm',
    });
    await mkdir(folder, { recursive: true });
    await page.goto(stage.base);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await take(page, 'sign-in', 520);
    await page.locator('input[type=password]').fill(stage.superKey);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    for (const { file, path, title, height } of picturesOf(tenants)) {
      await page.evaluate((hash) => void ((globalThis as any).location.hash = hash), path);
      await page.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
      await take(page, file, height);
    }
  } catch (error) {
    faults.push(error);
  }
  for (const cleanUp of cleanUps.reverse()) await cleanUp().catch((error: unknown) => faults.push(error));
  for (const fault of faults) complain(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

async function take(page: Page, file: string, height: number): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.waitForFunction(() => {
    const { document } = globalThis as any;
    return document.querySelector('h1') !== null && document.querySelector('[aria-label="Loading"]') === null;
  });
  // Charts are drawn in the frames after their data arrived.
  await page.waitForTimeout(700);
  const { length } = await page.screenshot({ path: join(folder, `${file}.png`), caret: 'hide' });
  say(`${file}.png  ${Math.round(length / 1024)} kB`);
}

void main();
