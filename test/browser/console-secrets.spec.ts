import { fewestTenants } from '../demo/console/plan';
import { superKey } from '../support/app';
import { describeConsole, goTo, keyField, settled, signIn, type Visit } from './console';
import { placesWith, requestsWith } from './secret-search';

/** With characters that are written differently in addresses, JSON and HTML. */
const typedKey = 'typed "key" of <Sundsvall>&co/+=%20 7731';
const refusedKey = 'refused "key" of <Sundsvall>&co/+=%20 7732';

describeConsole('a secret in the console', { tenants: fewestTenants }, (console) => {
  let visit: Visit;
  beforeEach(async () => void (visit = await console.open()));
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.page.context().close();
  });

  it('is found by the search, wherever it is', async () => {
    const { page } = visit;
    await signIn(page, console.origin);
    await page.evaluate(async (secret) => {
      const { document, localStorage, sessionStorage, indexedDB, history, location, fetch } =
        globalThis as any;
      const field = document.createElement('input');
      document.body.append(field);
      field.value = secret;
      field.setAttribute('data-held', secret);
      localStorage.setItem('held', secret);
      sessionStorage.setItem('held', secret);
      document.cookie = `held=${encodeURIComponent(secret)}`;
      history.replaceState({ held: secret }, '', `${location.pathname}#/?held=${encodeURIComponent(secret)}`);
      await new Promise<void>((resolve) => {
        const request = indexedDB.open('held', 1);
        request.onupgradeneeded = () => request.result.createObjectStore('held').put(secret, 1);
        request.onsuccess = () => resolve(request.result.close());
      });
      await fetch(`ready?held=${encodeURIComponent(secret)}`);
      // The browser lists a request a moment after its response.
      while (!performance.getEntries().some((entry: any) => entry.name.includes('?held=')))
        await new Promise((resolve) => setTimeout(resolve, 20));
    }, typedKey);
    const places = await placesWith(visit, typedKey);
    expect(places.sort()).toEqual([
      'address',
      'cookie',
      'cookies',
      'document',
      'fields',
      'history',
      'indexedDB',
      'localStorage',
      'resource names',
      'sessionStorage',
    ]);
    expect(await requestsWith(visit, typedKey)).toEqual(expect.arrayContaining(['GET /ready']));
  });

  it('is sent once and not kept: the key of a sysadmin', async () => {
    const { page } = visit;
    await page.goto(console.origin);
    await keyField(page).fill(superKey);
    // While it is typed, the field has it and nothing else has.
    expect(await placesWith(visit, superKey)).toEqual(['fields']);
    await page.keyboard.press('Enter');
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await settled(page);
    await goTo(page, '/tenants', 'Tenants');
    await page.reload();
    await settled(page);
    expect(await placesWith(visit, superKey)).toEqual([]);
    expect(await requestsWith(visit, superKey)).toEqual(['POST /api/v1/sysadmin/session']);
    const cookies = await page.context().cookies();
    expect(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])).toEqual([
      ['tenkey_session', true, 'Strict'],
    ]);
  });

  it('is sent once and not kept: a key of a provider', async () => {
    const { page } = visit;
    const { id, credentials } = console.tenants.find(({ incident }) => incident === 'rejected')!;
    const { provider } = credentials[0]!;
    console.tenkey.provider.rejectKey(refusedKey);
    await signIn(page, console.origin, `/tenants/${id}/replace/${provider}`);
    const field = page.locator('form input[type=password]');
    await field.fill(refusedKey);
    expect(await placesWith(visit, refusedKey)).toEqual(['fields']);
    await page.keyboard.press('Enter');
    await page.getByText('does not accept the key').first().waitFor();
    expect(await placesWith(visit, refusedKey)).toEqual([]);
    await field.fill(typedKey);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Promote', exact: true }).click();
    await page.getByRole('button', { name: 'Roll back' }).waitFor();
    await page.reload();
    await settled(page);
    for (const key of [refusedKey, typedKey]) {
      expect(await placesWith(visit, key)).toEqual([]);
      const path = `/api/v1/sysadmin/tenants/${id}/credentials/${provider}`;
      expect(await requestsWith(visit, key)).toEqual([`PUT ${path}`]);
    }
  });

  it('is shown once: a tenant key', async () => {
    const { page } = visit;
    const { id } = console.tenants[0]!;
    await signIn(page, console.origin, `/tenants/${id}?tab=keys`);
    await page.getByRole('button', { name: 'Issue a key' }).click();
    await page.getByLabel('Name').fill('shown once');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'The new key' });
    const key = /tk_\w+/.exec(await dialog.getByText(/^tk_/).innerText())![0];
    expect(await placesWith(visit, key)).toEqual(['document']);
    await dialog.getByRole('button', { name: 'I have stored the key' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('rowheader', { name: 'shown once' }).waitFor();
    expect(await placesWith(visit, key)).toEqual([]);
    expect(await requestsWith(visit, key)).toEqual([]);
  });
});
