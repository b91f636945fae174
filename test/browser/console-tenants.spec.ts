import { type Page } from 'playwright-core';
import { distributionOf } from '../faults/numbers';
import { municipalities } from '../demo/console/municipalities';
import { describeConsole, hashOf, pathOf, settled, signIn, type Visit } from './console';

/** Until a row can be clicked and the search responds. */
const INTERACTIVE_MS = 2000;
/** What a screen usually shows 60 times a second. On a machine that is slower than that, its own median counts. */
const FRAME_MS = 1000 / 60;

describeConsole('the matrix of 290 tenants', { tenants: municipalities.length }, (console) => {
  let visit: Visit;
  beforeAll(async () => {
    visit = await console.open();
    await signIn(visit.page, console.origin);
    await settled(visit.page);
  });

  const frame = () => visit.page.getByRole('region', { name: 'Tenants and providers' });

  it('responds to the search soon after it was opened', async () => {
    const { page } = visit;
    const started = performance.now();
    await page.getByRole('link', { name: 'Tenants' }).click();
    await frame().getByRole('link').first().waitFor();
    await page.getByLabel('Search').fill('sundsvall');
    await page.getByText(`1 of ${municipalities.length} tenants`).waitFor();
    expect(performance.now() - started).toBeLessThan(INTERACTIVE_MS);
  });

  it('takes every letter that is typed into the search', async () => {
    const { page } = visit;
    const search = page.getByLabel('Search');
    await search.fill('');
    await search.pressSequentially('ostra-goinge');
    expect(await search.inputValue()).toBe('ostra-goinge');
    await page.getByText(`1 of ${municipalities.length} tenants`).waitFor();
    await search.fill('');
    await page.getByText(`${municipalities.length} tenants`, { exact: true }).waitFor();
  });

  it.each(['Östra Göinge', 'ostra goinge'])('finds a tenant by its display name: %s', async (text) => {
    const { page } = visit;
    await page.getByLabel('Search').fill(text);
    await page.getByText(`1 of ${municipalities.length} tenants`).waitFor();
    await frame().getByRole('link', { name: 'ostra-goinge', exact: true }).waitFor();
    await page.getByLabel('Search').fill('');
  });

  it('counts the credentials of each status, and shows those of the one that is clicked', async () => {
    const { page } = visit;
    const expected = console.tenants
      .filter(({ incident }) => incident === 'rejected')
      .map(({ name }) => name);
    const rejected = page.getByRole('button', { name: `${expected.length} rejected` });
    await rejected.click();
    await page.getByRole('button', { name: `Verify ${expected.length} keys` }).waitFor();
    expect(pathOf(page)).toBe('/tenants?status=rejected');
    const names = frame().getByRole('rowheader').getByRole('link');
    expect(await names.allInnerTexts()).toEqual(expected.sort());
    await rejected.click();
    await page.getByText(`${municipalities.length} tenants`, { exact: true }).waitFor();
  });

  it('shows a row that somebody changed in the database as tampered', async () => {
    const { page } = visit;
    const { name, credentials } = console.tenants.find(({ incident }) => incident === 'tampered')!;
    const tampered = page.getByRole('button', { name: '1 tampered' });
    await tampered.click();
    await frame()
      .getByRole('link', { name: `${name}, ${credentials[0]!.provider}: tampered` })
      .waitFor();
    expect(await page.getByRole('button', { name: 'Verify 0 keys' }).isDisabled()).toBe(true);
    await tampered.click();
    await page.getByText(`${municipalities.length} tenants`, { exact: true }).waitFor();
  });

  it('has only the rows in view in the document, and says how many there are', async () => {
    const table = frame().getByRole('table');
    expect(await table.getAttribute('aria-rowcount')).toBe(String(municipalities.length + 1));
    expect(await table.getByRole('row').count()).toBeLessThan(80);
  });

  it('scrolls from the first to the last tenant without a frame that takes five times as long as usual', async () => {
    // The fastest of three runs, because another program may take the processor for a moment.
    const runs = [];
    for (let run = 0; run < 3; run += 1) runs.push(await scrolled(visit.page));
    const names = municipalities.map(({ name }) => name).sort();
    await frame()
      .getByRole('link', { name: names.at(-1), exact: true })
      .waitFor();
    const [best] = runs.sort((a, b) => a.slowest / a.median - b.slowest / b.median);
    expect(best!.frames).toBeGreaterThan(30);
    expect(best!.slowest).toBeLessThan(5 * Math.max(best!.median, FRAME_MS));
  });

  it('keeps the filters in the address, so that somebody else sees the same', async () => {
    const { page } = visit;
    await page.getByLabel('Search').fill('e');
    await page.getByRole('combobox', { name: 'Status' }).click();
    await page.getByRole('option', { name: 'rejected' }).click();
    const rejected = console.tenants.filter(({ incident }) => incident === 'rejected');
    const expected = rejected.filter(({ name }) => name.includes('e')).map(({ name }) => name);
    await page.getByText(`${expected.length} of ${municipalities.length} tenants`).waitFor();
    expect(pathOf(page)).toBe('/tenants?search=e&status=rejected');
    const other = await console.open();
    await signIn(other.page, console.origin, pathOf(page));
    await settled(other.page);
    const names = other.page.getByRole('rowheader').getByRole('link');
    expect(await names.allInnerTexts()).toEqual(expected.sort());
    expect(await other.page.getByLabel('Search').inputValue()).toBe('e');
    expect(other.complaints).toEqual([]);
    await other.page.context().close();
  });

  it('leads to a tenant and one of its credentials with the keyboard alone', async () => {
    const { page } = visit;
    const { id, credentials } = console.tenants.find(({ name }) => name === 'sundsvall')!;
    await page.goto(`${console.origin}/#/tenants?search=sundsvall`);
    await frame().getByRole('link').first().waitFor();
    await frame().focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const target = await hashOf(page.locator(':focus'));
    expect(credentials.map(({ provider }) => `#/tenants/${id}?provider=${provider}`)).toContain(target);
  });

  it('makes the browser complain about nothing', () => {
    expect(visit.complaints).toEqual([]);
  });
});

/** Scrolls the whole matrix in about two seconds and measures the time between frames. */
async function scrolled(
  page: Page,
): Promise<{ readonly frames: number; readonly median: number; readonly slowest: number }> {
  const times = await page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const { document, requestAnimationFrame } = globalThis as any;
        const frame = document.querySelector('[aria-label="Tenants and providers"]');
        const distances: number[] = [];
        frame.scrollTop = 0;
        let last: number | undefined;
        const step = (now: number) => {
          if (last !== undefined) distances.push(now - last);
          last = now;
          const before = frame.scrollTop;
          frame.scrollTop += 90;
          if (frame.scrollTop === before && distances.length > 10) resolve(distances);
          else requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
  );
  const { median, max: slowest } = distributionOf(times);
  return { frames: times.length, median, slowest };
}
