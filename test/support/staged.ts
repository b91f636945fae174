import { describeWithApp, type TestApp } from './app';

export const oldKey = 'sk-the-live-key-of-the-tenant-aaaa';
export const newKey = 'sk-the-next-key-of-the-tenant-bbbb';
export const thirdKey = 'sk-the-third-key-of-the-tenant-cccc';

/** Describes an application in which each test has a tenant of its own, with `oldKey` as its live OpenAI credential. */
export function describeStaged(
  title: string,
  specs: (tenkey: TestApp, staged: ReturnType<typeof stagedOf>) => void,
): void {
  describeWithApp(title, (tenkey) => specs(tenkey, stagedOf(tenkey)));
}

/** Registers the hook that creates the tenant, and returns requests about its credential. */
function stagedOf(tenkey: TestApp) {
  let tenant: string;
  beforeEach(async () => {
    tenkey.provider.reset();
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: oldKey });
  });

  const path = (suffix = '') => `/tenants/${tenant}/credentials/openai${suffix}`;
  const stage = (api_key: string, query = '?stage=true', fields: object = {}) =>
    tenkey.sysadmin('put', path(query)).send({ api_key, ...fields });
  const post = (suffix: string) => tenkey.sysadmin('post', path(suffix));
  const list = async () => (await tenkey.sysadmin('get', `/tenants/${tenant}/credentials`)).body;
  const listed = async () => (await list()).credentials[0];
  /** The key that a call now uses, and what the response header says about it. */
  const used = async () => {
    const answer = await tenkey.chat(tenant);
    expect(answer.status).toBe(200);
    return [tenkey.provider.requests.at(-1)?.key, answer.headers['x-tenkey-credential']];
  };
  const events = async () => {
    const { body } = await tenkey.sysadmin('get', `/audit-events?tenant_id=${tenant}&outcome=done`);
    return body.items.reverse();
  };
  return {
    get tenant() {
      return tenant;
    },
    path,
    stage,
    post,
    list,
    listed,
    used,
    events,
  };
}
