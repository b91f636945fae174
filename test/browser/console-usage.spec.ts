import { insertRecords } from '../../libs/usage/records/usage-tables';
import { fewestTenants } from '../demo/console/plan';
import { recordOf } from '../support/usage';
import { describeConsole, settled, signIn, type Visit } from './console';

const HOUR_MS = 3_600_000;

describeConsole('the usage in the console', { tenants: fewestTenants, usage: true }, (console) => {
  let visit: Visit;
  beforeAll(async () => {
    visit = await console.open();
    await signIn(visit.page, console.origin);
  });

  const tenantId = () => console.tenants[0]!.id;
  /** Each page, with the filter of the API for what it is about. */
  const pages: [string, () => { path: string; filter: string }][] = [
    ['all tenants', () => ({ path: '/usage?range=own', filter: '' })],
    ['a tenant', () => ({ path: `/tenants/${tenantId()}?tab=usage`, filter: `&tenant_id=${tenantId()}` })],
  ];
  const open = async (path: string) => {
    await visit.page.goto(`${console.origin}/#${path}`);
    await visit.page.getByLabel('First day').waitFor();
    await settled(visit.page);
  };
  const asked = () => visit.requests.filter((each) => /\/usage(\/series)?\?/.test(each.url())).length;

  it.each(pages)('has the sums of the API: %s', async (_of, page) => {
    const { path, filter } = page();
    const since = new Date(Date.now() - 13 * 86_400_000).toISOString().slice(0, 10);
    const { body } = await console.tenkey.sysadmin('get', `/usage?group_by=&since=${since}${filter}`);
    expect(body.total.calls).toBeGreaterThan(0);
    await open(`${path}&since=${since}`);
    const sums = visit.page.getByRole('region', { name: /^Sums by/ }).locator('tfoot td[title]');
    const titles = await sums.evaluateAll((all: any[]) => all.map((cell) => cell.title.replaceAll(',', '')));
    const { calls, failed, input_tokens: input, output_tokens: output } = body.total;
    expect(titles.map(Number)).toEqual(expect.arrayContaining([calls, failed, input, output]));
  });

  it.each(pages)('is asked for at most 366 days, and more are refused before: %s', async (_of, page) => {
    const first = visit.page.getByLabel('First day');
    await open(`${page().path}&since=2024-01-01&until=2024-12-31`);
    const before = asked();
    await first.fill('2023-12-31');
    await visit.page.getByText('These are 367 days, and at most 366 can be shown at once.').waitFor();
    await visit.page.getByLabel('Last day').fill('2023-12-01');
    await visit.page.getByText('The first day is after the last one.').waitFor();
    // The browser reports a request a moment after it was made.
    await visit.page.waitForTimeout(300);
    expect(asked()).toBe(before);
    await first.fill('2023-11-01');
    await visit.page.getByText('No calls').first().waitFor();
    expect(asked()).toBeGreaterThan(before);
    expect(await visit.page.getByRole('alert').count()).toBe(0);
  });

  it('names a provider that fails first on Today, from the hour on in which it began', async () => {
    const { tenkey } = console;
    const hour = Math.floor(Date.now() / HOUR_MS);
    const records = [0, 20, 20, 30].flatMap((failed, at) =>
      Array.from({ length: 30 }, (_, call) =>
        recordOf(tenantId(), {
          at: new Date((hour - 3 + at) * HOUR_MS),
          provider: 'cohere',
          ...(call < failed && { outcome: 'failed', status: 502, code: 'upstream_unavailable' }),
        }),
      ),
    );
    await insertRecords(tenkey.database.manager, records);
    const { page } = visit;
    await page.goto(`${console.origin}/#/`);
    const since = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'Europe/Stockholm' });
    const began = since.format((hour - 2) * HOUR_MS);
    await page.getByText(`Since ${began}, 70 of 90 calls (77.8%) got no response.`).waitFor();
    const [first] = await page.getByRole('main').getByRole('alert').allInnerTexts();
    expect(first).toContain('Calls to cohere fail');
    await page.getByRole('link', { name: 'Show whose calls fail' }).first().click();
    const rows = page.getByRole('region', { name: 'Sums by tenant' }).getByRole('row');
    const row = rows.filter({ hasText: console.tenants[0]!.name });
    expect(await row.innerText()).toContain('70');
  });

  it('makes the browser complain about nothing', () => {
    expect(visit.complaints).toEqual([]);
  });
});
