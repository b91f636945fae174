import { type Page } from 'playwright-core';
import { fewestTenants, providerPlans } from '../demo/console/plan';
import { describeConsole, pathOf, settled, signIn, type Visit } from './console';

/** Clicks, fields that are filled, and keys that are pressed. */
const MOST_ACTIONS = 8;

/** Acts as a person does, and counts it. */
class Person {
  actions = 0;

  constructor(private readonly page: Page) {}

  async click(role: 'link' | 'button', name: string, within = this.page.locator('body')): Promise<void> {
    this.actions += 1;
    await within.getByRole(role, { name, exact: true }).click();
  }

  /** Into the field that has the focus already. */
  async paste(text: string): Promise<void> {
    this.actions += 1;
    await this.page.locator('input[type=password]:focus').fill(text);
  }

  async press(key: string): Promise<void> {
    this.actions += 1;
    await this.page.keyboard.press(key);
  }
}

describeConsole('replacing a key in the console', { tenants: fewestTenants }, (console) => {
  let visit: Visit;
  beforeEach(async () => void (visit = await console.open()));
  afterEach(async () => {
    expect(visit.complaints).toEqual([]);
    await visit.page.context().close();
  });
  const tenantWith = (incident: string) => console.tenants.find((tenant) => tenant.incident === incident)!;
  const rowOf = (name: string) =>
    visit.page.getByRole('table', { name: 'What needs you' }).getByRole('row').filter({ hasText: name });

  it('takes at most eight actions from Today until calls use the new key', async () => {
    const { page } = visit;
    const { id, name, credentials } = tenantWith('rejected');
    const { provider, key } = credentials[0]!;
    const newKey = 'the-next-key-that-the-provider-accepts';
    const [model] = providerPlans[provider].models;
    expect((await console.tenkey.chat(id, { model })).status).toBe(424);
    await signIn(page, console.origin);
    const person = new Person(page);
    await person.click('link', 'Replace the key', rowOf(name));
    await person.paste(newKey);
    await person.press('Enter');
    await person.click('button', 'Promote');
    await page.getByRole('button', { name: 'Roll back' }).waitFor();
    expect((await console.tenkey.chat(id, { model })).status).toBe(200);
    expect(console.tenkey.provider.requests.at(-1)?.key === newKey).toBe(true);
    expect(key === newKey).toBe(false);
    await person.click('link', 'Today', page.getByRole('navigation', { name: 'Pages' }));
    await settled(page);
    await rowOf(name).waitFor({ state: 'detached' });
    expect(person.actions).toBeLessThanOrEqual(MOST_ACTIONS);
  });

  it('stores nothing when the provider refuses the new key, and says so', async () => {
    const { page } = visit;
    const { id, name, credentials } = tenantWith('expired');
    const { provider, key } = credentials[0]!;
    const refused = 'a-key-that-the-provider-refuses';
    console.tenkey.provider.rejectKey(refused);
    await signIn(page, console.origin);
    const person = new Person(page);
    await person.click('link', 'Replace the key', rowOf(name));
    await person.paste(refused);
    await person.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'does not accept the key' }).waitFor();
    const { body } = await console.tenkey.sysadmin('get', `/tenants/${id}/credentials`);
    const stored = body.credentials.find((each: { provider: string }) => each.provider === provider);
    expect([stored.masked_key, stored.staged ?? null]).toEqual([`...${key.slice(-4)}`, null]);
    // The field is empty and has the focus, so that the right key can be pasted at once.
    await person.paste('a-key-that-the-provider-accepts');
    await person.press('Enter');
    await page.getByRole('button', { name: 'Promote', exact: true }).waitFor();
  });

  it('goes on at a staged key, which another person has entered, and can be rolled back', async () => {
    const { page } = visit;
    const { id, credentials } = tenantWith('staged');
    const { provider, key } = credentials[0]!;
    const [model] = providerPlans[provider].models;
    await signIn(page, console.origin, `/tenants/${id}/replace/${provider}`);
    const person = new Person(page);
    await person.click('button', 'Verify');
    await person.click('button', 'Promote');
    await person.click('button', 'Roll back');
    await person.click('button', 'Roll back', page.getByRole('dialog'));
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await console.tenkey.chat(id, { model });
    expect(console.tenkey.provider.requests.at(-1)?.key === key).toBe(true);
  });

  it('adds a key that a tenant is expected to have', async () => {
    const { page } = visit;
    const { id, name, credentials } = tenantWith('missing');
    const { provider } = credentials[0]!;
    await signIn(page, console.origin);
    const person = new Person(page);
    await person.click('link', 'Add the key', rowOf(name));
    await page.locator('input[type=password]:focus').waitFor();
    expect(pathOf(page)).toBe(`/tenants/${id}/add/${provider}`);
    for (const [label, value] of missingSettings(console.tenkey.provider.url, provider))
      await page.getByRole('textbox', { name: label, exact: true }).fill(value);
    await page.locator('input[type=password]').fill('the-first-key-of-the-tenant');
    await person.press('Enter');
    await page.getByRole('button', { name: /set live$/ }).waitFor({ state: 'detached' });
    const [model] = providerPlans[provider].models;
    expect((await console.tenkey.chat(id, { model })).status).toBe(200);
  });
});

/** What cannot be taken from another credential of the tenant. */
function missingSettings(url: string, provider: string): [label: string, value: string][] {
  if (provider === 'vllm') return [['Endpoint', `${url}/v1`]];
  if (provider !== 'azure') return [];
  return [
    ['Endpoint', `${url}/azure`],
    ['API version', '2024-10-21'],
    ['Deployment', 'gpt-4o-sweden'],
  ];
}
