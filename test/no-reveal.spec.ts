import { type Response } from 'supertest';
import { scopes } from '#http';
import { describeWithApp, platformKey, superKey } from './support/app';
import { issueSysadminKey, issueTenantKey, signIn } from './support/keys';
import { registeredRoutes } from './support/routes';

/** Keys with characters that every encoding writes differently. */
const credentials = {
  openai: 'sk-Revealed+To/Nobody=a?b&c 1234',
  anthropic: 'an-anthropic-key-of-Nobody~5678',
  azure: 'an-azure-key+of/Nobody==9012',
};
/** The first stays staged. The second is promoted, so that the key it replaces becomes the previous one. */
const replacements = {
  openai: 'sk-Staged+For/Nobody=a?b&c 3456',
  anthropic: 'a-key-Promoted~Before Nobody/7890',
};

/** Queries that a caller might try in order to see more than the API shows. */
const wishes = [
  '',
  '?reveal=true&decrypt=true&show=true&unmask=true&raw=1',
  '?include=api_key,key,secret,sealed_api_key&fields=api_key,sealed_api_key,key_hash&expand=credentials&select=*',
  '?scope=all&format=full&verbose=1&debug=1',
];

describeWithApp('no route returns a key', (tenkey) => {
  it('from any GET, with any key that opens it, for things that exist, in any form of the request', async () => {
    const tenant = await tenkey.createTenant();
    const azure = {
      endpoint: tenkey.provider.url,
      api_version: '2024-10-21',
      deployment_name: 'gpt-4o-sweden',
    };
    for (const [provider, api_key] of Object.entries(credentials)) {
      const fields = provider === 'azure' ? azure : {};
      expect((await tenkey.setCredential(tenant, provider, { api_key, ...fields })).status).toBe(200);
      await tenkey.sysadmin('post', `/tenants/${tenant}/credentials/${provider}/verify`);
    }
    for (const [provider, api_key] of Object.entries(replacements)) {
      const path = `/tenants/${tenant}/credentials/${provider}`;
      expect((await tenkey.sysadmin('put', `${path}?stage=true`).send({ api_key })).status).toBe(200);
    }
    const promotion = tenkey.sysadmin('post', `/tenants/${tenant}/credentials/anthropic/promote`);
    expect((await promotion).body.replaced.slot).toBe('previous');
    expect((await tenkey.chat(tenant)).status).toBe(200);
    const response = await tenkey.call(tenant, 'responses', { model: 'gpt-4o', input: 'hello' });
    const tenantKey = await issueTenantKey(tenkey, tenant);
    const sysadminKey = await issueSysadminKey(tenkey, { scopes: [...scopes] });
    const session = await signIn(tenkey);

    const rows = await tenkey.database.query<{ sealed: string }[]>(
      `select sealed_api_key as sealed from tenant_credentials where tenant_id = $1
       union all select sealed_api_key from credential_slots where tenant_id = $1`,
      [tenant],
    );
    const hashes = await tenkey.database.query<{ hash: string }[]>(
      `select key_hash as hash from tenant_keys union all select key_hash from sysadmin_keys
       union all select unnest(array[token_hash, key_proof]) from sysadmin_sessions`,
    );
    // The prefix and the id of an issued key may be shown; only the part after them is secret.
    const secrets = [
      ...Object.values(credentials),
      ...Object.values(replacements),
      ...[tenantKey.key, sysadminKey.key, session.cookie].map((key) => key.slice(key.lastIndexOf('_') + 1)),
      ...rows.map(({ sealed }) => sealed),
      ...hashes.map(({ hash }) => hash),
      superKey,
      platformKey,
    ];
    expect(secrets).toHaveLength(5 + 3 + 5 + 4 + 2);
    const spellings = secrets.flatMap((secret) => formsOf(secret).map((form) => form.toLowerCase()));
    const revealed = (text: string) => {
      const lower = text.toLowerCase();
      return spellings.filter((form) => lower.includes(form)).length;
    };
    expect(revealed(`{"api_key":${JSON.stringify(credentials.openai)}}`)).toBeGreaterThan(0);

    const bearer = { authorization: `Bearer ${tenantKey.key}` };
    const callers: Record<string, string>[] = [
      { 'x-api-key': superKey },
      { 'x-api-key': sysadminKey.key },
      { ...session },
      { 'x-api-key': platformKey, 'x-tenant-id': tenant },
      bearer,
      {},
    ];
    // The files of Swagger UI itself come from its package.
    const isOwn = ([, path]: [string, string]) =>
      !path.startsWith('/docs') || /^\/docs\/?(openapi\.json)?$/.test(path);
    const routes = registeredRoutes(tenkey)
      .filter(([method]) => method === 'GET' || method === 'HEAD')
      .filter(isOwn);
    const opened = new Set<string>();
    let searched = 0;
    for (const [method, pattern] of routes) {
      const keyId = pattern.includes(':tenant_id') ? tenantKey.id : sysadminKey.id;
      const path = pattern
        .replace(':tenant_id', tenant)
        .replace(':key_id', keyId)
        .replace(':provider', 'openai')
        .replace(':model', 'gpt-4o')
        .replace(':response_id', response.body.id as string)
        .replace('*', 'gpt-4o');
      for (const headers of callers) {
        for (const wish of wishes) {
          const send = tenkey.http()[method.toLowerCase() as 'get' | 'head'](path + wish);
          const answer = await send.set(headers).buffer(true).parse(asText);
          const found = revealed(`${JSON.stringify(answer.headers)}\n${answer.body}`);
          expect([method, pattern, wish, found]).toEqual([method, pattern, wish, 0]);
          if (answer.status === 200) opened.add(`${method} ${pattern}`);
          searched += 1;
        }
      }
    }
    // A route that no key opened was not tested at all.
    expect(routes.map((route) => route.join(' ')).filter((route) => !opened.has(route))).toEqual([]);
    expect(searched).toBeGreaterThan(300);
  }, 60_000);
});

const asText = (response: Response, done: (error: null, text: string) => void) => {
  let text = '';
  response.on('data', (part: Buffer) => (text += part.toString()));
  response.on('end', () => done(null, text));
};

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
}
