import { superKey } from '../support/app';
import { issueSysadminKey } from '../support/keys';
import { fewestTenants } from '../demo/console/plan';
import { describeConsole, goTo, keyField, pathOf, settled, signIn, type Visit } from './console';

const sessionPath = '/api/v1/sysadmin/session';

describeConsole('signing in to the console', { tenants: fewestTenants }, (console) => {
  let visit: Visit;
  beforeEach(async () => void (visit = await console.open()));
  afterEach(async () => {
    await visit.page.context().close();
    expect(visit.complaints).toEqual([]);
  });
  const title = (name: string) => visit.page.getByRole('heading', { level: 1, name });
  const menu = () => visit.page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts();

  it('refuses a wrong key with the hint of the API, and lets the next one in', async () => {
    const { page } = visit;
    const wrong = 'tks_no-such-key';
    const { body } = await console.tenkey.http().post(sessionPath).set('X-API-Key', wrong);
    await page.goto(console.origin);
    await keyField(page).fill(wrong);
    await page.getByRole('button', { name: 'Sign in' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(body.hint).toMatch(/\w/);
    expect(await alert.innerText()).toContain(body.hint);
    expect(await alert.innerText()).not.toContain(wrong);
    // The key is selected, so typing replaces it.
    await page.keyboard.type(superKey);
    await page.keyboard.press('Enter');
    await title('Today').waitFor();
  });

  it('keeps the session when the page is loaded again, until somebody signs out', async () => {
    const { page } = visit;
    await signIn(page, console.origin);
    await page.reload();
    await title('Today').waitFor();
    expect(await keyField(page).count()).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await keyField(page).waitFor();
    expect(await page.context().cookies()).toEqual([]);
    await page.reload();
    await keyField(page).waitFor();
  });

  it('leads from an expired session to sign-in, and then back to where one was', async () => {
    const { page } = visit;
    const path = '/tenants?status=rejected';
    await signIn(page, console.origin, path);
    await title('Tenants').waitFor();
    await settled(page);
    await console.tenkey.database.query('update sysadmin_sessions set expires_at = now()');
    await page.getByRole('button', { name: 'Verify 1 key' }).click();
    await page.getByText('Your session has ended').waitFor();
    expect(pathOf(page)).toBe(path);
    await keyField(page).fill(superKey);
    await page.keyboard.press('Enter');
    await title('Tenants').waitFor();
    expect(pathOf(page)).toBe(path);
  });

  it('shows sign-in when the page of an expired session is loaded again', async () => {
    const { page } = visit;
    await signIn(page, console.origin, '/tenants');
    await title('Tenants').waitFor();
    await console.tenkey.database.query('update sysadmin_sessions set expires_at = now()');
    await page.reload();
    await keyField(page).fill(superKey);
    await page.keyboard.press('Enter');
    await title('Tenants').waitFor();
  });

  it('ends the session of a key that is revoked', async () => {
    const { page } = visit;
    const scopes = ['tenants:read', 'credentials:read', 'readiness:read'];
    const { id, key } = await issueSysadminKey(console.tenkey, { name: 'short', scopes });
    await signIn(page, console.origin, '/', key);
    await settled(page);
    await console.tenkey.sysadmin('delete', `/keys/${id}`);
    await page.getByRole('link', { name: 'Tenants' }).click();
    await page.getByText('Your session has ended').waitFor();
  });

  it('shows a key only what its scopes allow, and asks for nothing else', async () => {
    const { page } = visit;
    const scopes = ['tenants:read', 'credentials:read'];
    const { key } = await issueSysadminKey(console.tenkey, { name: 'reader', scopes });
    await signIn(page, console.origin, '/', superKey);
    const all = await menu();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await signIn(page, console.origin, '/', key);
    await settled(page);
    expect(all).toEqual(expect.arrayContaining(['Today', 'Tenants', 'Models']));
    expect(await menu()).toEqual(all.filter((label) => ['Today', 'Tenants', 'Models'].includes(label)));
    expect(await page.getByRole('table', { name: 'What needs you' }).count()).toBe(0);
    await goTo(page, '/tenants', 'Tenants');
    await page.getByRole('link', { name: console.tenants[0]!.name, exact: true }).waitFor();
    expect(await page.getByRole('button', { name: 'Verify all keys' }).count()).toBe(0);
    // A page that the key may not see is none.
    await goTo(page, '/audit', 'Today');
  });

  it('shows a key for one tenant only that tenant', async () => {
    const { page } = visit;
    const [tenant] = console.tenants;
    const scopes = ['tenants:read', 'credentials:read', 'readiness:read', 'credentials:write'];
    const fields = { name: 'one', scopes, tenant_ids: [tenant!.id] };
    const { key } = await issueSysadminKey(console.tenkey, fields);
    await signIn(page, console.origin, '/', key);
    await settled(page);
    await page.getByText('1 tenant', { exact: true }).first().waitFor();
    await goTo(page, '/tenants', 'Tenants');
    await page.getByRole('link', { name: tenant!.name, exact: true }).waitFor();
    expect(await page.getByRole('row').count()).toBe(2);
    expect(await page.getByRole('button', { name: 'Verify all keys' }).count()).toBe(0);
  });
});
