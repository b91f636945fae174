import request from 'supertest';
import { describeWithApp, platformKey, startTestApp, type TestApp } from './support/app';
import { issueTenantKey } from './support/keys';
import { type ShownRecord, usageRecords } from './support/usage';
import { until } from './support/until';

const sharedKey = 'sk-of-an-account-that-tenants-share';
const catalogue = `
completion_models:
  - { name: gpt, litellm_model_name: gpt-4o }
  - { name: other, litellm_model_name: gpt-4o-mini }
  - { name: azure, litellm_model_name: azure/gpt-4o }
`;

type Method = 'get' | 'delete' | 'post';
const about = (tenkey: TestApp, tenant: string, method: Method, path: string) =>
  request(tenkey.nest.getHttpServer())
    [method](`/v1/responses/${path}`)
    .set({ 'X-API-Key': platformKey, 'X-Tenant-ID': tenant });

const respond = async (tenkey: TestApp, tenant: string, body: object = {}): Promise<any> => {
  const answer = await tenkey.call(tenant, 'responses', { model: 'gpt', input: 'the secret of A', ...body });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return answer.body;
};

async function tenantWith(tenkey: TestApp, key = sharedKey): Promise<string> {
  const tenant = await tenkey.createTenant();
  await tenkey.setCredential(tenant, 'openai', { api_key: key });
  return tenant;
}

const tokensOf = ({ operation, input_tokens, output_tokens }: ShownRecord) => [
  operation,
  input_tokens,
  output_tokens,
];

describeWithApp('a stored response', {}, { models: catalogue }, (tenkey) => {
  it('is fetched, listed, cancelled and deleted by its owner only, also when tenants share a provider key', async () => {
    const [a, b] = [await tenantWith(tenkey), await tenantWith(tenkey)];
    const made = await respond(tenkey, a, { background: true });
    expect(made.status).toBe('queued');
    const paths: [Method, string][] = [
      ['get', made.id],
      ['get', `${made.id}/input_items`],
      ['post', `${made.id}/cancel`],
      ['delete', made.id],
    ];
    const before = tenkey.provider.calls.begun;
    for (const [method, path] of paths) {
      for (const [tenant, of] of [
        [b, path],
        [a, path.replace(made.id, 'resp_never_made')],
      ] as const) {
        const refused = await about(tenkey, tenant, method, of);
        expect([method, refused.status, refused.body.error]).toEqual([
          method,
          404,
          {
            message: 'There is no such object, or it was not made by a call of this tenant.',
            type: 'invalid_request_error',
            code: 'object_not_found',
            param: 'response_id',
            tenkey_code: 'object_not_found',
          },
        ]);
      }
    }
    expect(tenkey.provider.calls.begun).toBe(before);

    for (const status of ['queued', 'in_progress', 'completed'])
      expect((await about(tenkey, a, 'get', made.id)).body.status).toBe(status);
    const items = await about(
      tenkey,
      a,
      'get',
      `${made.id}/input_items?limit=1&order=asc&include[]=a&include[]=b&x=1`,
    );
    expect(items.body.data).toMatchObject([{ content: 'the secret of A' }]);
    expect(items.headers['x-tenkey-dropped-params']).toBe('x');
    const seen = tenkey.provider.requests.at(-1);
    expect(seen).toMatchObject({ method: 'GET', key: sharedKey, rawBody: '' });
    expect(seen?.query).toEqual({ limit: '1', order: 'asc', 'include[]': 'b' });
    const deleted = await about(tenkey, a, 'delete', made.id);
    expect([deleted.status, deleted.body]).toEqual([200, { id: made.id, object: 'response', deleted: true }]);
    const begun = tenkey.provider.calls.begun;
    expect((await about(tenkey, a, 'get', made.id)).status).toBe(404);
    expect(tenkey.provider.calls.begun).toBe(begun);
  });

  it('has the headers, the receipt, the log line and the usage record of a call', async () => {
    const tenant = await tenantWith(tenkey, 'sk-of-this-tenant-k3y9');
    const { id } = await respond(tenkey, tenant);
    const answer = await about(tenkey, tenant, 'get', id);
    expect(answer.headers).toMatchObject({
      'x-tenkey-provider': 'openai',
      'x-tenkey-credential-source': 'tenant',
      'x-tenkey-credential': expect.stringMatching(/^openai\/\.\.\.k3y9\/v\d+$/),
    });
    const token = answer.headers['x-tenkey-receipt'];
    const receipt = await tenkey.sysadmin('post', '/receipts/verify').send({ receipt: token });
    expect(receipt.body).toMatchObject({ valid: true });
    await about(tenkey, tenant, 'get', `${id}/input_items`);
    // The provider refuses to cancel a response that was not made in the background.
    const refused = await about(tenkey, tenant, 'post', `${id}/cancel`);
    expect([refused.status, refused.body.error.tenkey_code]).toEqual([400, 'upstream_rejected_request']);
    await about(tenkey, tenant, 'delete', id);
    const records = await usageRecords(tenkey, 5, `&tenant_id=${tenant}`);
    expect(records.map(({ operation, status }) => [operation, status])).toEqual([
      ['responses', 200],
      ['responses/get', 200],
      ['responses/input_items', 200],
      ['responses/cancel', 400],
      ['responses/delete', 200],
    ]);
    expect(records[1]).toMatchObject({ model: 'gpt', attempts: 1, outcome: 'completed', request_bytes: 0 });
    const requestId = answer.headers['x-tenkey-request-id']!;
    const line = tenkey.logLines.find((each) => each.includes(requestId));
    expect(JSON.parse(line!)).toMatchObject({
      path: '/v1/responses/:response_id',
      model: 'gpt',
      mask: '...k3y9',
    });
    expect(line).not.toContain(id);
  });

  it('needs an active tenant, a key that may use its model, and a credential', async () => {
    const tenant = await tenantWith(tenkey);
    const { id } = await respond(tenkey, tenant);
    const { key } = await issueTenantKey(tenkey, tenant, { allowed_models: ['other'] });
    const limited = await tenkey.http().get(`/v1/responses/${id}`).set('authorization', `Bearer ${key}`);
    expect([limited.status, limited.body.error.code]).toEqual([403, 'forbidden']);
    await tenkey.sysadmin('delete', `/tenants/${tenant}/credentials/openai`);
    expect((await about(tenkey, tenant, 'get', id)).body.error.code).toBe('credential_not_configured');
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-another-key-of-the-account' });
    // The live credential is used, and the provider decides what it may see.
    expect((await about(tenkey, tenant, 'get', id)).body.error.tenkey_code).toBe('upstream_rejected_request');
    expect(tenkey.provider.requests.at(-1)?.key).toBe('sk-another-key-of-the-account');
    await tenkey.sysadmin('patch', `/tenants/${tenant}`).send({ state: 'suspended' });
    expect((await about(tenkey, tenant, 'get', id)).body.error.code).toBe('tenant_suspended');
  });

  it('gives the ids of a page of items to the tenant, and no other page', async () => {
    const [a, b] = [await tenantWith(tenkey), await tenantWith(tenkey)];
    const input = ['one', 'two'].map((content) => ({ role: 'user', content }));
    const [ofA, ofB] = [await respond(tenkey, a, { input }), await respond(tenkey, b, { input })];
    const page = (await about(tenkey, a, 'get', `${ofA.id}/input_items?limit=1`)).body;
    const next = await about(tenkey, a, 'get', `${ofA.id}/input_items?after=${page.last_id}`);
    expect(next.body.data).toMatchObject([{ content: 'two' }]);
    const refused = await about(tenkey, b, 'get', `${ofB.id}/input_items?after=${page.last_id}`);
    expect([refused.status, refused.body.error.param]).toEqual([404, 'after']);
  });

  it('is not recorded again by a request that fetches it while another one deletes it', async () => {
    const tenant = await tenantWith(tenkey);
    const { id } = await respond(tenkey, tenant);
    tenkey.provider.next({ delayMs: 500 });
    const begun = tenkey.provider.calls.begun;
    const fetched = about(tenkey, tenant, 'get', id).then(({ status }) => status);
    await until(() => tenkey.provider.calls.begun > begun, 'the response is being fetched');
    // The provider responds to the first request as it was before the deletion.
    tenkey.provider.next({ body: { id, object: 'response', deleted: true } });
    expect((await about(tenkey, tenant, 'delete', id)).status).toBe(200);
    expect(await fetched).toBe(200);
    const before = tenkey.provider.calls.begun;
    expect((await about(tenkey, tenant, 'get', id)).status).toBe(404);
    expect(tenkey.provider.calls.begun).toBe(before);
  });

  it('continues as a stream where the client has left it', async () => {
    const tenant = await tenantWith(tenkey);
    const { id } = await respond(tenkey, tenant, { background: true });
    const stream = await about(tenkey, tenant, 'get', `${id}?stream=true&starting_after=4`);
    expect(stream.headers['content-type']).toContain('text/event-stream');
    expect(stream.text).toContain('"sequence_number":5');
    expect(stream.text).not.toContain('"sequence_number":4');
    expect(stream.text).toContain('response.completed');
    const records = await usageRecords(tenkey, 2, `&tenant_id=${tenant}`);
    expect(records.map(tokensOf)).toEqual([
      ['responses', null, null],
      ['responses/get', 3, 2],
    ]);
  });

  it('is found at the Azure address of its API version', async () => {
    for (const [api_version, path, query] of [
      ['2025-04-01-preview', '/openai/responses', { 'api-version': '2025-04-01-preview' }],
      ['v1', '/openai/v1/responses', {}],
    ] as const) {
      const tenant = await tenkey.createTenant();
      const credential = { api_key: 'key-of-azure', endpoint: tenkey.provider.url, deployment_name: 'd' };
      await tenkey.setCredential(tenant, 'azure', { ...credential, api_version });
      const { id } = await respond(tenkey, tenant, { model: 'azure' });
      expect((await about(tenkey, tenant, 'get', id)).body.id).toBe(id);
      expect(tenkey.provider.requests.at(-1)).toMatchObject({ path: `${path}/${id}`, query });
      // Azure's clients call other addresses, with a version that only the credential decides.
      for (const address of [
        `/openai/v1/responses/${id}`,
        `/openai/responses/${id}?api-version=2025-01-01`,
      ]) {
        const answer = await tenkey
          .http()
          .get(address)
          .set({ 'X-API-Key': platformKey, 'X-Tenant-ID': tenant });
        expect([address, answer.body.id]).toEqual([address, id]);
        expect(tenkey.provider.requests.at(-1)?.query).toEqual(query);
      }
    }
  });

  it('stays reachable when the catalogue no longer has the model, or has it from another provider', async () => {
    const tenant = await tenantWith(tenkey);
    const { id } = await respond(tenkey, tenant);
    const { id: ofOther } = await respond(tenkey, tenant, { model: 'other' });
    const models = 'completion_models:\n  - { name: other, litellm_model_name: azure/gpt-4o }\n';
    const env = { OPENAI_BASE_URL: `${tenkey.provider.url}/v1` };
    const later = await startTestApp(env, { models, databaseUrl: tenkey.databaseUrl });
    try {
      for (const each of [id, ofOther]) {
        const answer = await about(later, tenant, 'get', each);
        expect([answer.status, answer.body.id, answer.headers['x-tenkey-provider']]).toEqual([
          200,
          each,
          'openai',
        ]);
      }
    } finally {
      await later.close();
    }
  });
});

describe('the tokens of a response in the background', () => {
  let first: TestApp;
  let second: TestApp;
  beforeAll(async () => {
    first = await startTestApp({}, { models: catalogue });
    // The second process calls the same provider.
    const env = { OPENAI_BASE_URL: `${first.provider.url}/v1` };
    second = await startTestApp(env, { models: catalogue, databaseUrl: first.databaseUrl });
  });
  afterAll(async () => {
    await second.close();
    await first.close();
  });

  it('count once, for the call that sees its end first, also with many at once in two processes', async () => {
    const tenant = await tenantWith(first);
    const { id } = await respond(first, tenant, { background: true });
    for (const status of ['queued', 'in_progress'])
      expect((await about(second, tenant, 'get', id)).body.status).toBe(status);
    const ends = await Promise.all(
      Array.from({ length: 10 }, (_, index) => about(index % 2 ? first : second, tenant, 'get', id)),
    );
    expect(new Set(ends.map(({ body }) => body.status as string))).toEqual(new Set(['completed']));
    const records = await usageRecords(first, 13, `&tenant_id=${tenant}`);
    const tokens = records.map(({ input_tokens }) => input_tokens as number | null);
    expect(tokens.filter((each) => each === null)).toHaveLength(1);
    expect(tokens.filter((each) => each === 0)).toHaveLength(11);
    expect(tokens.filter((each) => each === 3)).toHaveLength(1);
    const { body } = await first.sysadmin('get', `/usage?tenant_id=${tenant}`);
    const sum = (body.items as ShownRecord[]).reduce(
      (all, { input_tokens }) => all + Number(input_tokens),
      0,
    );
    expect(sum).toBe(3);
  });

  it('count for the call itself when its stream reaches the end, and not again', async () => {
    const tenant = await tenantWith(first);
    const answer = await first.call(tenant, 'responses', {
      model: 'gpt',
      input: 'a',
      background: true,
      stream: true,
    });
    const id = /"id":"(resp_\w+)"/.exec(answer.text)![1]!;
    await about(first, tenant, 'get', id);
    const records = await usageRecords(first, 2, `&tenant_id=${tenant}`);
    expect(records.map(tokensOf)).toEqual([
      ['responses', 3, 2],
      ['responses/get', 0, 0],
    ]);
  });

  it('count when it is fetched, if the client left its stream before', async () => {
    const tenant = await tenantWith(first);
    first.provider.next({ chunkDelayMs: 300 });
    const { port } = first.nest.getHttpServer().address() as { port: number };
    const leaving = new AbortController();
    const stream = await fetch(`http://127.0.0.1:${port}/v1/responses`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { 'content-type': 'application/json', 'x-api-key': platformKey, 'x-tenant-id': tenant },
      body: JSON.stringify({ model: 'gpt', input: 'a b c d e f', background: true, stream: true }),
    });
    let text = '';
    for await (const part of stream.body!) {
      text += Buffer.from(part).toString();
      if (text.includes('output_text.delta')) break;
    }
    leaving.abort();
    const id = /"id":"(resp_\w+)"/.exec(text)![1]!;
    await until(async () => (await about(first, tenant, 'get', id)).body.status === 'completed', 'its end');
    await about(first, tenant, 'get', id);
    await until(async () => {
      const { body } = await first.sysadmin('get', `/usage/records?tenant_id=${tenant}`);
      return body.items.some(({ outcome }: ShownRecord) => outcome === 'client_left');
    }, 'the record of the stream');
    const { body } = await first.sysadmin('get', `/usage/records?tenant_id=${tenant}`);
    const records = body.items as ShownRecord[];
    expect(records.find(({ outcome }) => outcome === 'client_left')).toMatchObject({ input_tokens: null });
    expect(records.map(({ input_tokens }) => input_tokens as number).filter((each) => each > 0)).toEqual([3]);
  });

  it('count for the limit of the key that sees the end', async () => {
    const tenant = await tenantWith(first);
    const { key } = await issueTenantKey(first, tenant, { tokens_per_minute: 6 });
    const bearer = { authorization: `Bearer ${key}` };
    const made = await first
      .http()
      .post('/v1/responses')
      .set(bearer)
      .send({ model: 'gpt', input: 'a', background: true });
    expect(made.status).toBe(200);
    for (const status of ['queued', 'in_progress', 'completed'])
      expect((await first.http().get(`/v1/responses/${made.body.id}`).set(bearer)).body.status).toBe(status);
    // One token was reserved, and five were used.
    const refused = await first.http().post('/v1/responses').set(bearer).send({ model: 'gpt', input: 'a' });
    expect([refused.status, refused.body.error.code]).toEqual([429, 'rate_limited']);
    expect((await first.http().get(`/v1/responses/${made.body.id}`).set(bearer)).status).toBe(200);
  });
});
