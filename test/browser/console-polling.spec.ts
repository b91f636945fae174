import { fewestTenants } from '../demo/console/plan';
import { describeConsole, goTo, settled, signIn, type Visit } from './console';

const MINUTE_MS = 60_000;

describeConsole('an open page of the console', { tenants: fewestTenants }, (console) => {
  let visit: Visit;
  beforeEach(async () => {
    visit = await console.open();
    // The clock of the page only: the session goes by that of the service.
    await visit.page.clock.install();
    await signIn(visit.page, console.origin);
    await settled(visit.page);
  });
  afterEach(async () => {
    await visit.page.context().close();
    expect(visit.complaints).toEqual([]);
  });

  /** What the page asks for in some minutes of its clock. */
  async function askedIn(minutes: number): Promise<string[]> {
    const before = visit.requests.length;
    for (let passed = 0; passed < minutes; passed += 1) await visit.page.clock.runFor(MINUTE_MS);
    // The browser reports a request a moment after it was made.
    await visit.page.waitForTimeout(300);
    return visit.requests.slice(before).map((request) => new URL(request.url()).pathname);
  }

  /** A tab of a browser without a window is never hidden. */
  const show = (visibilityState: 'visible' | 'hidden') =>
    visit.page.evaluate((value) => {
      const { document, Event } = globalThis as any;
      Object.defineProperty(document, 'visibilityState', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    }, visibilityState);

  it.each([
    ['/', 'Today', '/ready'],
    ['/encryption', 'Encryption', '/api/v1/sysadmin/encryption'],
  ])(
    'is read again until it had no input for ten minutes, and from the next input on: %s',
    async (path, title, read) => {
      const { page } = visit;
      await goTo(page, path, title);
      expect(await askedIn(9)).toContain(read);
      await askedIn(2);
      expect(await askedIn(30)).toEqual([]);
      const [request] = await Promise.all([page.waitForRequest(`**${read}`), page.mouse.move(300, 300)]);
      await request.response();
      expect(await askedIn(9)).toContain(read);
      await askedIn(2);
      expect(await askedIn(5)).toEqual([]);
    },
  );

  it.each<[string, () => Promise<unknown>]>([
    ['a key', () => visit.page.keyboard.press('Shift')],
    ['the wheel', () => visit.page.mouse.wheel(0, 1)],
    ['showing the tab', () => show('visible')],
  ])('is also read again with %s', async (_input, use) => {
    await askedIn(12);
    await Promise.all([visit.page.waitForRequest('**/ready'), use()]);
  });

  it('is not read while its tab is hidden, and at once when it is shown', async () => {
    await show('hidden');
    expect(await askedIn(3)).toEqual([]);
    await Promise.all([visit.page.waitForRequest('**/ready'), show('visible')]);
    expect(await askedIn(2)).toContain('/ready');
  });
});
