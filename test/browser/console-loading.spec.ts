import { type Browser, type CDPSession } from 'playwright-core';
import { fewestTenants } from '../demo/console/plan';
import { superKey } from '../support/app';
import { launchBrowser, startProxy } from './browser';
import { describeConsole, keyField, originOf, settled, signIn, startConsole, visit } from './console';

/** JavaScript as it is transferred, until Today shows everything. It is about 292 kB, with the headers of 35 responses. */
const FIRST_LOAD_BYTES = 300_000;

describeConsole('the first load of the console', { tenants: fewestTenants, usage: true }, (console) => {
  it('transfers less than 300 kB of JavaScript until Today is complete', async () => {
    const { page } = await console.open();
    const scripts = await transferredScripts(await page.context().newCDPSession(page));
    await signIn(page, console.origin);
    await settled(page);
    const total = scripts().reduce((sum, { bytes }) => sum + bytes, 0);
    expect(scripts().length).toBeGreaterThan(1);
    expect(total).toBeGreaterThan(50_000);
    expect(total).toBeLessThan(FIRST_LOAD_BYTES);
    await page.context().close();
  });
});

describe('the address of the console', () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await launchBrowser()));
  afterAll(() => browser?.close());

  it('may have a path prefix of a proxy, which PUBLIC_URL names', async () => {
    let port = 0;
    const proxy = await startProxy('/tenkey', () => port);
    const publicUrl = `http://127.0.0.1:${proxy.port}/tenkey`;
    const tenkey = await startConsole({ PUBLIC_URL: publicUrl });
    port = Number(new URL(originOf(tenkey)).port);
    try {
      const { page, requests, complaints } = await visit(browser);
      await page.goto(`${publicUrl}/`);
      await keyField(page).fill(superKey);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'Today' }).waitFor();
      await settled(page);
      await page.reload();
      await page.getByRole('link', { name: 'Tenants' }).click();
      await page.getByText('There are no tenants yet').waitFor();
      expect((await page.context().cookies()).map(({ path }) => path)).toEqual(['/tenkey']);
      expect(requests.map((each) => each.url()).filter((url) => !url.startsWith(`${publicUrl}/`))).toEqual(
        [],
      );
      await page.getByRole('button', { name: 'Sign out' }).click();
      await keyField(page).waitFor();
      expect(await page.context().cookies()).toEqual([]);
      expect(complaints).toEqual([]);
      await page.context().close();
    } finally {
      await tenkey.close();
      proxy.close();
    }
  });

  it('leads to the documentation with CONSOLE=false', async () => {
    const tenkey = await startConsole({ CONSOLE: 'false' });
    try {
      const { page } = await visit(browser);
      await page.goto(originOf(tenkey));
      expect(new URL(page.url()).pathname).toBe('/docs');
      await page.locator('.swagger-ui').first().waitFor();
      await page.context().close();
    } finally {
      await tenkey.close();
    }
  });
});

/** Counts what arrives over the network for each script, as it is compressed. */
async function transferredScripts(session: CDPSession) {
  const urls = new Map<string, string>();
  const scripts: { readonly url: string; readonly bytes: number }[] = [];
  session.on('Network.responseReceived', ({ requestId, type, response }) => {
    if (type === 'Script') urls.set(requestId, response.url);
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength: bytes }) => {
    const url = urls.get(requestId);
    if (url !== undefined) scripts.push({ url, bytes });
  });
  await session.send('Network.enable');
  return () => scripts;
}
