import { superKey, type TestApp } from './app';

/** A key as the response to its POST shows it. */
export interface Issued {
  readonly id: string;
  readonly key: string;
}

export const issueTenantKey = (tenkey: TestApp, tenantId: string, fields: object = {}): Promise<Issued> =>
  issue(tenkey, `/tenants/${tenantId}/keys`, { name: 'a test', ...fields });

export const issueSysadminKey = (tenkey: TestApp, fields: object): Promise<Issued> =>
  issue(tenkey, '/keys', { name: 'a test', ...fields });

/** What the console sends after it has exchanged the key for a session. */
export interface SignedIn {
  readonly cookie: string;
  readonly 'x-tenkey-console': string;
}

export async function signIn(tenkey: TestApp, key = superKey): Promise<SignedIn> {
  const { status, headers } = await tenkey.http().post('/api/v1/sysadmin/session').set('X-API-Key', key);
  if (status !== 201) throw new Error(`there is no session: ${status}`);
  return { cookie: String(headers['set-cookie']).split(';', 1)[0]!, 'x-tenkey-console': '1' };
}

/** The id of a session, which is not secret. */
export function sessionIdOf({ cookie }: SignedIn): string {
  return cookie.split('_')[2]!;
}

async function issue(tenkey: TestApp, path: string, fields: object): Promise<Issued> {
  const { status, body } = await tenkey.sysadmin('post', path).send(fields);
  if (status !== 201) throw new Error(`the key was not issued: ${status}`);
  return body;
}
