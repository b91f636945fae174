import { fewestTenants } from '../demo/console/plan';
import { describeConsole, settled, signIn, type Visit } from './console';

describeConsole('tenant keys in the console', { tenants: fewestTenants }, (console) => {
  let visit: Visit;
  let key: string;
  beforeAll(async () => {
    visit = await console.open();
    const [tenant] = console.tenants;
    await signIn(visit.page, console.origin, `/tenants/${tenant!.id}?tab=keys`);
    await settled(visit.page);
  });

  const row = () => visit.page.getByRole('row').filter({ hasText: 'minutes of meetings' });
  const models = () => console.tenkey.http().get('/v1/models').set('Authorization', `Bearer ${key}`);

  it('can be issued, and open the models of the tenant', async () => {
    const { page } = visit;
    await page.getByRole('button', { name: 'Issue a key' }).click();
    await page.getByLabel('Name').fill('minutes of meetings');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'The new key' });
    key = /tk_\w+/.exec(await dialog.getByText(/^tk_/).innerText())![0];
    await dialog.getByRole('button', { name: 'I have stored the key' }).click();
    await row().waitFor();
    expect((await models()).status).toBe(200);
  });

  it('are listed with their masks', async () => {
    expect(await row().innerText()).toContain(key.slice(-4));
    expect(await visit.page.content()).not.toContain(key);
  });

  it('can be revoked, after the name was typed', async () => {
    const { page } = visit;
    await row().getByRole('button', { name: 'Revoke minutes of meetings' }).click();
    const dialog = page.getByRole('dialog');
    const revoke = dialog.getByRole('button', { name: 'Revoke the key' });
    expect(await revoke.isDisabled()).toBe(true);
    await dialog.getByRole('textbox').fill('minutes of meetings');
    await revoke.click();
    await row().waitFor({ state: 'detached' });
    expect((await models()).status).toBe(401);
    expect(visit.complaints).toEqual([]);
  });
});
