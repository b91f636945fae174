import { problems, scopes } from '#http';
import { fixedProviders } from '#providers';
import { describeWithApp } from './support/app';
import { OpenApi, type Operation } from './support/openapi';

const tenants = '/api/v1/sysadmin/tenants';
const isPlatform = (path: string) => path.startsWith('/v1/');
const putCredential = `${tenants}/{tenant_id}/credentials/{provider}`;

const operationsOfDeployments = [
  'audio/speech',
  'audio/transcriptions',
  'audio/translations',
  'chat/completions',
  'completions',
  'embeddings',
  'images/edits',
  'images/generations',
  'responses',
];
const ofStoredResponses = [
  'GET responses/{response_id}',
  'DELETE responses/{response_id}',
  'POST responses/{response_id}/cancel',
  'GET responses/{response_id}/input_items',
];
const aliases = [
  ...['/openai', '/openai/v1'].flatMap((prefix) =>
    ofStoredResponses.map((each) => each.replace(' ', ` ${prefix}/`)),
  ),
  ...operationsOfDeployments.map((each) => `POST /openai/deployments/{deployment}/${each}`),
  ...operationsOfDeployments.map((each) => `POST /openai/v1/${each}`),
  ...['messages', 'messages/count_tokens', 'moderations', 'rerank'].map((each) => `POST /openai/v1/${each}`),
  ...['models', 'models/{model}', 'usage'].map((each) => `GET /openai/v1/${each}`),
  ...operationsOfDeployments.map((each) => `POST /openai/${each}`),
  'GET /openai/models',
  'GET /openai/models/{model}',
  'POST /v2/rerank',
];

/** Status, code and example body of every error that an operation documents. */
function errorsOf(api: OpenApi, operation: Operation): { status: number; name: string; value: any }[] {
  return Object.entries<any>(operation.responses)
    .filter(([status]) => Number(status) >= 400)
    .flatMap(([status, response]) =>
      Object.values<any>(response.content ?? {}).flatMap((content) =>
        Object.entries(content.examples ?? {}).map(([name, example]) => ({
          status: Number(status),
          name,
          value: api.resolve(example).value,
        })),
      ),
    );
}

describeWithApp('the OpenAPI document', (tenkey) => {
  let api: OpenApi;
  let document: Record<string, any>;
  /** Name, path and operation of everything documented that needs a key. */
  let routes: [string, string, Operation][];
  beforeAll(async () => {
    api = await OpenApi.of(tenkey);
    document = api.document;
    routes = api.routes
      .filter(({ path }) => !['/', '/health', '/ready'].includes(path))
      .map(({ name, path, operation }) => [name, path, operation]);
  });

  it('names every address of another API in the description of its route, and has no operation for it', () => {
    const named = api.routes.flatMap(({ method, operation: { description } }) => {
      const [, list = ''] = /(?:^|\n\n)Aliases: (.*)\.$/.exec(description ?? '') ?? [];
      return list.split(', ').flatMap((alias) => (alias === '' ? [] : `${method.toUpperCase()} ${alias}`));
    });
    expect(named.sort()).toEqual(aliases.map((each) => each.replace(/ (.*)/, ' `$1`')).sort());
    const { description } = document.paths['/v1/rerank'].post;
    expect(description).toMatch(/\n\nAliases: `\/openai\/v1\/rerank`, `\/v2\/rerank`\.$/);
  });

  it('says of every route which key opens it, and has one success', () => {
    for (const [name, path, operation] of routes) {
      const schemes = isPlatform(path) ? ['platform-key', 'tenant-key'] : ['super-api-key'];
      if (path.endsWith('/metrics')) schemes.push('sysadmin-bearer');
      expect([name, operation.security]).toEqual([name, schemes.map((scheme) => ({ [scheme]: [] }))]);
      const success = Object.keys(operation.responses).filter((status) => Number(status) < 300);
      expect([name, success.length]).toEqual([name, 1]);
    }
    expect(document.components.securitySchemes).toMatchObject({
      'super-api-key': { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      'platform-key': { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      'tenant-key': { type: 'http', scheme: 'bearer' },
    });
  });

  it('gives every error of every route as an example with our code, once', () => {
    for (const [name, path, operation] of routes) {
      for (const [status, response] of Object.entries<any>(operation.responses)) {
        if (Number(status) < 400) continue;
        const ofStatus = errorsOf(api, operation).filter((error) => error.status === Number(status));
        expect([name, status, ofStatus.length > 0]).toEqual([name, status, true]);
        const lines = response.description.split('\n\n');
        expect([name, status, lines.length]).toEqual([name, status, ofStatus.length]);
      }
      for (const { status, name: code, value } of errorsOf(api, operation)) {
        const known: { status: number; alsoStatus?: readonly number[] } | undefined = (problems as any)[code];
        const statuses = [known?.status, ...(known?.alsoStatus ?? [])];
        expect([name, code, statuses]).toEqual([name, code, expect.arrayContaining([status])]);
        if (isPlatform(path)) expect(value.error.tenkey_code).toBe(code);
        else expect(value).toMatchObject({ code, status });
      }
    }
  });

  it('omits no error that every route of a kind can give', () => {
    for (const [name, path, operation] of routes) {
      const expected = ['unauthenticated', 'forbidden', 'internal_error', 'credential_store_unavailable'];
      if (path.includes('{tenant_id}')) expected.push('validation_failed', 'tenant_not_found');
      if (path.includes('/credentials')) expected.push('feature_disabled');
      if (isPlatform(path)) expected.push('tenant_not_found', 'tenant_suspended', 'rate_limited');
      if (name.startsWith('GET') && path.includes('{key_id}')) expected.push('key_not_found');
      if (operation.requestBody) {
        expected.push(
          'malformed_request',
          'validation_failed',
          'payload_too_large',
          'unsupported_media_type',
        );
      }
      const codes = errorsOf(api, operation).map((error) => error.name);
      expect([name, codes]).toEqual([name, expect.arrayContaining(expected)]);
    }
  });

  it('has X-Tenant-ID on every platform route, and says that a tenant key does not need it', () => {
    for (const [, path, operation] of routes) {
      const header = operation.parameters?.find((one: { name: string }) => one.name === 'X-Tenant-ID');
      if (isPlatform(path)) expect(header).toMatchObject({ in: 'header', required: false });
      else expect(header).toBeUndefined();
    }
  });

  it('has a schema for each provider, in which api_key is required and its own fields are', () => {
    const { schema } = document.paths[putCredential].put.requestBody.content['application/json'];
    const bodies = (schema.anyOf as object[]).map((reference) => api.resolve(reference));
    expect(bodies.map((body) => [Object.keys(body.properties).sort(), body.required])).toEqual(
      fixedProviders.map(({ fields }) => [
        ['expires_at', ...fields.map(({ name }) => name)].sort(),
        fields.filter(({ required }) => required).map(({ name }) => name),
      ]),
    );
    for (const { properties } of bodies) expect(properties.api_key).toMatchObject({ writeOnly: true });
  });

  it('has an example per provider that the provider itself accepts', async () => {
    const { examples } = document.paths[putCredential].put.requestBody.content['application/json'];
    expect(Object.keys(examples)).toEqual(fixedProviders.map(({ id }) => id));
    const tenant = await tenkey.createTenant();
    for (const [id, { value }] of Object.entries<any>(examples)) {
      const answer = await tenkey.setCredential(tenant, id, value);
      expect([id, answer.status, answer.body.masked_key]).toEqual([id, 200, '...-key']);
    }
  });

  it('documents the parameters of every list that has pages', () => {
    const lists = routes.filter(([, , operation]) => {
      const { schema } = operation.responses['200']?.content?.['application/json'] ?? {};
      const name = schema?.$ref?.split('/').at(-1) as string | undefined;
      return document.components.schemas[name ?? '']?.properties?.next_cursor !== undefined;
    });
    expect(lists.length).toBeGreaterThan(3);
    for (const [name, , operation] of lists) {
      const parameters = (operation.parameters as { name: string }[]).map((each) => each.name);
      expect([name, ...parameters]).toEqual(expect.arrayContaining(['limit', 'cursor']));
    }
  });

  it('documents x-tenkey-in-force on exactly the changes that calls must notice, and each of them sends it', async () => {
    const header = 'x-tenkey-in-force';
    const isDocumented = ([, , { responses }]: (typeof routes)[number]) =>
      Object.values<any>(responses).some(({ headers }) => headers?.[header] !== undefined);
    const tenant = await tenkey.createTenant();
    const credential = `/tenants/${tenant}/credentials/openai`;
    const body = { api_key: 'sk-of-the-header-1234' };
    const steps: [
      route: string,
      isSent: boolean,
      method: 'put' | 'post' | 'patch' | 'delete',
      path: string,
      body?: object,
    ][] = [
      [`POST ${tenants}`, true, 'post', '/tenants', { name: 'with-the-header' }],
      [`PATCH ${tenants}/{tenant_id}`, true, 'patch', `/tenants/${tenant}`, { state: 'active' }],
      [`PUT ${putCredential}`, true, 'put', credential, body],
      [`PUT ${putCredential}`, false, 'put', `${credential}?stage=true`, body],
      [`POST ${putCredential}/promote`, true, 'post', `${credential}/promote`],
      [`POST ${putCredential}/verify`, false, 'post', `${credential}/verify`],
      [`POST ${putCredential}/rollback`, true, 'post', `${credential}/rollback`],
      [`DELETE ${putCredential}`, false, 'delete', `${credential}?slot=staged`],
      [`DELETE ${putCredential}`, true, 'delete', credential],
      [`POST ${tenants}/{tenant_id}/keys`, true, 'post', `/tenants/${tenant}/keys`, { name: 'any' }],
      [
        `PUT ${tenants}/{tenant_id}/keys/{key_id}`,
        true,
        'put',
        `/tenants/${tenant}/keys/<id>`,
        { name: 'b' },
      ],
      [`DELETE ${tenants}/{tenant_id}/keys/{key_id}`, true, 'delete', `/tenants/${tenant}/keys/<id>`],
      ['POST /api/v1/sysadmin/keys', false, 'post', '/keys', { name: 'any', scopes: ['tenants:read'] }],
      [
        'PUT /api/v1/sysadmin/keys/{key_id}',
        false,
        'put',
        '/keys/<id>',
        { name: 'b', scopes: ['tenants:write'] },
      ],
      ['DELETE /api/v1/sysadmin/keys/{key_id}', false, 'delete', '/keys/<id>'],
      [`PUT ${tenants}/{tenant_id}`, true, 'put', `/tenants/${tenant}`, { name: 'renamed' }],
      [`DELETE ${tenants}/{tenant_id}`, true, 'delete', `/tenants/${tenant}`],
    ];
    let id = '';
    for (const [route, isSent, method, path, sent] of steps) {
      const response = await tenkey.sysadmin(method, path.replace('<id>', id)).send(sent);
      const expected = isSent ? expect.stringMatching(/^processes=1; waited_ms=\d+$/) : undefined;
      expect([route, path, response.ok, response.headers[header]]).toEqual([route, path, true, expected]);
      id = (response.body as { id?: string }).id ?? id;
      expect([route, api.faultsOfAnswer(route, response)]).toEqual([route, []]);
    }
    const sending = new Set(steps.filter(([, isSent]) => isSent).map(([route]) => route));
    expect(
      routes
        .filter(isDocumented)
        .map(([name]) => name)
        .sort(),
    ).toEqual([...sending].sort());
  });

  it('has a route for every scope', () => {
    const opening = new Set(routes.flatMap(([, , operation]) => operation['x-tenkey-scope'] as unknown));
    expect(scopes.filter((scope) => !opening.has(scope))).toEqual([]);
  });

  it('has examples for tenants and keys that are accepted, and the usual one names no id', async () => {
    const bodyOf = (path: string, method: string) =>
      Object.values<any>(document.paths[path][method].requestBody.content['application/json'].examples);
    const creations = bodyOf(tenants, 'post');
    expect(creations[0].value).not.toHaveProperty('id');
    for (const { value } of creations) {
      const created = await tenkey.sysadmin('post', '/tenants').send(value);
      expect(created.status).toBe(201);
      await tenkey.sysadmin('delete', `/tenants/${created.body.id}`);
    }
    const tenant = await tenkey.createTenant();
    for (const { value } of bodyOf(`${tenants}/{tenant_id}/keys`, 'post')) {
      expect((await tenkey.sysadmin('post', `/tenants/${tenant}/keys`).send(value)).status).toBe(201);
    }
    for (const { value } of bodyOf('/api/v1/sysadmin/keys', 'post')) {
      expect((await tenkey.sysadmin('post', '/keys').send(value)).status).toBe(201);
    }
    for (const { value } of bodyOf(`${tenants}/{tenant_id}`, 'patch')) {
      expect((await tenkey.sysadmin('patch', `/tenants/${tenant}`).send(value)).status).toBe(200);
    }
  });
});
