import { type TestApp } from './app';

/** A key as its POST answers it. */
export interface Issued {
  readonly id: string;
  readonly key: string;
}

export const issueTenantKey = (test: TestApp, tenantId: string, fields: object = {}): Promise<Issued> =>
  issue(test, `/tenants/${tenantId}/keys`, { name: 'a test', ...fields });

export const issueSysadminKey = (test: TestApp, fields: object): Promise<Issued> =>
  issue(test, '/keys', { name: 'a test', ...fields });

async function issue(test: TestApp, path: string, fields: object): Promise<Issued> {
  const { status, body } = await test.sysadmin('post', path).send(fields);
  if (status !== 201) throw new Error(`no key was made: ${status}`);
  return body;
}
