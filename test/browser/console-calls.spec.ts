import { until } from '../support/until';
import { fewestTenants } from '../demo/console/plan';
import { describeConsole, settled, signIn, type Visit } from './console';

describeConsole('calls in the console', { tenants: fewestTenants }, (console) => {
  let visit: Visit;
  let requestId: string;
  let tenant: { id: string; name: string; mask: string };
  beforeAll(async () => {
    const { tenkey } = console;
    const id = await tenkey.createTenant('asks-whose-key-paid');
    await tenkey.setCredential(id, 'openai', { api_key: 'sk-key-that-paid-for-it-wxyz' });
    tenant = { id, name: 'asks-whose-key-paid', mask: '...wxyz' };
    const { headers } = await tenkey.chat(id).expect(200);
    requestId = headers['x-tenkey-request-id']!;
    const records = `/usage/records?request_id=${requestId}`;
    await until(async () => (await tenkey.sysadmin('get', records)).body.count === 1, 'the call is recorded');
    visit = await console.open();
    await signIn(visit.page, console.origin, '/calls');
    await settled(visit.page);
  });

  const field = () => visit.page.getByRole('textbox', { name: 'Request id' });
  const answer = () => visit.page.getByRole('region', { name: 'Whose key paid' });

  it('are found by the id of the request, with whose key paid', async () => {
    await field().fill(`  ${requestId.toUpperCase()} `);
    await visit.page.keyboard.press('Enter');
    const text = await answer().innerText();
    for (const part of [tenant.name, tenant.mask, "Tenant's own key", 'openai', requestId])
      expect(text).toContain(part);
    expect(await visit.page.content()).not.toContain('sk-key-that-paid-for-it-wxyz');
  });

  it('have an address that shows somebody else the same', async () => {
    await visit.page.reload();
    expect(await answer().innerText()).toContain(tenant.mask);
  });

  it('say what an unknown id means, and what is no id', async () => {
    await field().fill(requestId.replace(/^./, (digit) => (digit === '0' ? '1' : '0')));
    await visit.page.keyboard.press('Enter');
    await visit.page.getByText('There is no record of this call').waitFor();
    await field().fill('chat-7f3a');
    await visit.page.keyboard.press('Enter');
    await visit.page.getByText('Ids of clients are not searched').waitFor();
    await field().fill('tkr1.abc');
    await visit.page.keyboard.press('Enter');
    await visit.page.getByText('This is a receipt').waitFor();
  });

  it('are listed with their tenants', async () => {
    await visit.page.getByRole('button', { name: 'Show all calls' }).click();
    const row = visit.page.getByRole('row').filter({ hasText: tenant.name });
    expect(await row.innerText()).toContain(tenant.mask);
    expect(visit.complaints).toEqual([]);
  });
});
