import { readFileSync } from 'node:fs';
import { type Page } from 'playwright-core';
import { describeConsole, goTo, signIn } from './console';
import { pagesOf } from './console-pages';
import { fewestTenants } from '../demo/console/plan';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What a person with a disability could not use, and how each differs from what it should be. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => (globalThis as any).axe.run());
  return violations
    .filter(({ impact }: any) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }: any) => [
      ...new Map(
        nodes.map((node: any) => [node.failureSummary, `${id}: ${node.failureSummary} ${node.html}`]),
      ).values(),
    ]);
}

describeConsole('the pages of the console', { tenants: fewestTenants, usage: true }, (console) => {
  it.each(['light', 'dark'] as const)(
    'can be used by everybody in the %s scheme, and load nothing that the policy forbids or another origin serves',
    async (colorScheme) => {
      const { page, requests, complaints } = await console.open({ colorScheme });
      await page.goto(console.origin);
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      const found = { 'sign-in': await violationsOf(page) } as Record<string, string[]>;
      await signIn(page, console.origin);
      for (const { path, title } of pagesOf(console)) {
        await goTo(page, path, title);
        found[path] = await violationsOf(page);
      }
      const withFindings = Object.entries(found).filter(([, violations]) => violations.length > 0);
      expect(Object.fromEntries(withFindings)).toEqual({});
      expect(complaints).toEqual([]);
      const elsewhere = requests.map((each) => each.url()).filter((url) => !isFrom(console.origin, url));
      expect(elsewhere).toEqual([]);
      await page.context().close();
    },
  );

  it.each(['light', 'dark'] as const)(
    'fit into the width of a telephone in the %s scheme',
    async (colorScheme) => {
      const { page } = await console.open({ colorScheme, viewport: { width: 390, height: 844 } });
      await signIn(page, console.origin);
      const tooWide: string[] = [];
      for (const { path, title } of pagesOf(console)) {
        await goTo(page, path, title);
        const excess: number = await page.evaluate(() => {
          const { document, innerWidth } = globalThis as any;
          return document.documentElement.scrollWidth - innerWidth;
        });
        if (excess > 0) tooWide.push(`${path} by ${excess} px`);
      }
      expect(tooWide).toEqual([]);
      await page.context().close();
    },
  );

  it('are all of those in the menu', async () => {
    const { page } = await console.open();
    await signIn(page, console.origin);
    const links = page.getByRole('navigation', { name: 'Pages' }).getByRole('link');
    const inMenu = await links.evaluateAll((all: any[]) => all.map((link) => link.hash.slice(1) || '/'));
    const tested = pagesOf(console).map(({ path }) => path);
    expect(inMenu.filter((path: string) => !tested.includes(path))).toEqual([]);
    await page.context().close();
  });
});

const isFrom = (origin: string, url: string) => url.startsWith('data:') || new URL(url).origin === origin;
