import { type Incident, fewestTenants } from '../demo/console/plan';
import { fieldsOf } from '../demo/console/seed';
import { describeConsole, goTo, hashOf, settled, signIn, type Visit } from './console';

/** The worst first: what fails, with rows that somebody changed before keys that stopped working, then what expires, the next one first. */
const order: readonly (readonly [status: string, incidents: readonly Incident[]])[] = [
  ['tampered', ['tampered']],
  ['rejected', ['rejected']],
  ['unreadable', ['unreadable']],
  ['missing', ['missing']],
  ['expired', ['expired']],
  ['expiring', ['expires in 1 day']],
  ['expiring', ['expires in 7 days']],
  ['expiring', ['expires in 30 days']],
];

describeConsole('the work list of Today', { tenants: fewestTenants }, (console) => {
  let visit: Visit;
  beforeAll(async () => {
    visit = await console.open();
    await signIn(visit.page, console.origin);
    await settled(visit.page);
  });

  const rows = () => visit.page.getByRole('table', { name: 'What needs you' }).locator('tbody tr');
  const tenantWith = (incident: Incident) => console.tenants.find((tenant) => tenant.incident === incident)!;

  it('has each credential that needs somebody once, the worst first', async () => {
    const shown = await rows().evaluateAll((all: any[]) =>
      all.map((row) => [row.cells[0].innerText.trim(), row.cells[1].innerText.split('\n')[0].trim()]),
    );
    const expected = order.map(([status, incidents]) =>
      incidents.map((incident) => [status, tenantWith(incident).name]),
    );
    expect(shown).toHaveLength(expected.flat().length);
    let at = 0;
    for (const group of expected) {
      // Within a group of equal urgency there is no order.
      expect(shown.slice(at, at + group.length).sort()).toEqual(group.sort());
      at += group.length;
    }
  });

  it.each<[Incident, string, string]>([
    ['rejected', 'Replace the key', 'replace'],
    ['tampered', 'Replace the key', 'replace'],
    ['expired', 'Replace the key', 'replace'],
    ['expires in 1 day', 'Replace the key', 'replace'],
    ['missing', 'Add the key', 'add'],
  ])('leads to the page that solves it: %s', async (incident, label, verb) => {
    const { name, id, providers } = tenantWith(incident);
    const action = rows().filter({ hasText: name }).getByRole('link', { name: label });
    expect(await hashOf(action)).toBe(`#/tenants/${id}/${verb}/${providers[0]}`);
  });

  it('leads to the encryption key that is missing, and from there to the credentials under it', async () => {
    const { page } = visit;
    const { name } = tenantWith('unreadable');
    await rows().filter({ hasText: name }).getByRole('link', { name: 'Find that key' }).click();
    await page.getByText('No process has the encryption key').waitFor();
    await page.getByRole('link', { name: 'Show the unreadable credentials' }).click();
    await page.getByRole('link', { name, exact: true }).waitFor();
    await goTo(page, '/', 'Today');
  });

  it('says how many there are of each', async () => {
    const counts = visit.page.getByRole('main').getByRole('listitem');
    for (const status of ['tampered', 'rejected', 'unreadable', 'missing'])
      await counts.filter({ hasText: new RegExp(`^1\\s*${status}$`) }).waitFor();
  });

  it('says which credential it is by its mask, and shows no key', async () => {
    const { name, credentials } = tenantWith('rejected');
    const { key } = credentials[0]!;
    const text = await rows().filter({ hasText: name }).innerText();
    expect(text).toContain(`...${key.slice(-4)}`);
    expect(await visit.page.content()).not.toContain(key);
  });

  it('becomes shorter when a credential is replaced', async () => {
    const { page } = visit;
    const { name, id, credentials } = tenantWith('rejected');
    const row = rows().filter({ hasText: name });
    await row.waitFor();
    const { provider } = credentials[0]!;
    const fields = fieldsOf(console.tenkey.provider, provider, 'a-key-that-is-accepted');
    expect((await console.tenkey.setCredential(id, provider, fields)).status).toBe(200);
    await page.reload();
    await settled(page);
    await row.waitFor({ state: 'detached' });
  });

  it('makes the browser complain about nothing', () => {
    expect(visit.complaints).toEqual([]);
  });
});
