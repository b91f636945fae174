import { type TestApp } from './app';

/** A key as the response to its POST shows it. */
export interface Issued {
  readonly id: string;
  readonly key: string;
}

export const issueTenantKey = (tenkey: TestApp, tenantId: string, fields: object = {}): Promise<Issued> =>
  issue(tenkey, `/tenants/${tenantId}/keys`, { name: 'a test', ...fields });

export const issueSysadminKey = (tenkey: TestApp, fields: object): Promise<Issued> =>
  issue(tenkey, '/keys', { name: 'a test', ...fields });

async function issue(tenkey: TestApp, path: string, fields: object): Promise<Issued> {
  const { status, body } = await tenkey.sysadmin('post', path).send(fields);
  if (status !== 201) throw new Error(`the key was not issued: ${status}`);
  return body;
}
