import fc from 'fast-check';
import { providers } from '#providers';
import { platformKey, superKey } from './app';

export const tenantKey = 'key-of-the-tenant-with-bad-callers';
/** In every text that is made up here; no answer and no log line may repeat it. */
export const marker = 'zqMarkerqz';
export const maxBodyBytes = 64 * 1024;
export const sysadminRoot = '/api/v1/sysadmin/tenants';

export interface Input {
  readonly method: string;
  /** Written as it is, so it need not be one. */
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
  readonly isChunked?: boolean;
  /** In place of all the above. */
  readonly raw?: string | Buffer;
}

type Header = readonly [string, string];
export const json: readonly Header[] = [['content-type', 'application/json']];
export const asSysadmin: readonly Header[] = [['x-api-key', superKey]];
export const asPlatform = (tenant: string): readonly Header[] => [
  ['x-api-key', platformKey],
  ['x-tenant-id', tenant],
];

/** Requests of which each is wrong in at least one way that must be noticed. */
export function badInputs(tenant: string): fc.Arbitrary<Input> {
  const one = <T>(...values: readonly T[]) => fc.constantFrom(...values);

  // Texts ------------------------------------------------------------------------------------------------------------
  const oddPiece = fc.oneof(
    one('\ud800', '\udfff', '\udc00\ud800', '\u0000', '\u202e', '\ufeff', '\uffff', '𝒳', 'e\u0301', '\u2028'),
    one('"', '\\', "'; DROP TABLE tenants;--", '${7*7}', '{{7*7}}', '<script>', '%s%n', '../../etc/passwd'),
    one(
      '__proto__',
      'constructor',
      'hasOwnProperty',
      'toString',
      'then',
      'null',
      'NaN',
      '\r\n',
      '\u001b[31m',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const odd = fc.array(oddPiece, { maxLength: 4 }).map((pieces) => marker + pieces.join(''));
  const withControl = fc
    .tuple(odd, one('\u0000', '\u0007', '\u0085', '\ud800', 'x\udc00'))
    .map((both) => both.join(''));
  const long = fc.integer({ min: 10_300, max: 40_000 }).map((length) => marker.padEnd(length, 'x'));

  // Values that are no text ------------------------------------------------------------------------------------------
  const name = one(
    'a',
    'name',
    'constructor',
    '__proto__',
    'toString',
    'then',
    'toJSON',
    'length',
    'value',
    marker,
  );
  const leaf = fc.oneof(odd, fc.double(), fc.boolean(), one(null, -0, 1e308, 2 ** 53));
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.array(fc.tuple(name, tie('tree')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
    ),
  }));
  const deep = fc
    .tuple(fc.integer({ min: 20, max: 12_000 }), one(['[', ']'], ['{"a":', '}'], ['[{"constructor":', '}]']))
    .map(([depth, [open, close]]) => open!.repeat(depth) + '1' + close!.repeat(depth));
  /** As JSON text, and neither a text nor null. */
  const noText = fc.oneof(
    { weight: 5, arbitrary: tree.filter((value) => typeof value !== 'string' && value !== null).map(textOf) },
    { weight: 1, arbitrary: deep },
    { weight: 1, arbitrary: one('1e999', '-0', '12345678901234567890123', '[[]]', '{}', 'true') },
  );
  const noObject = fc.oneof(
    one('null', 'true', '0', '""', '[]', '[{}]', '1e999', ' '),
    odd.map(textOf),
    fc.integer({ min: 1, max: 12_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  );
  const brokenJson = fc.oneof(
    one(
      '{',
      '}',
      '{"',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,}',
      "{'a':1}",
      '{a:1}',
      '[1,]',
      '{"a":01}',
      '{"a":NaN}',
    ),
    one(
      '{"a":"\u0001"}',
      '{"a":"\\x"}',
      '{"a":"\\u12"}',
      '{}{}',
      '{} x',
      '/**/{}',
      '{"a":undefined}',
      'nul',
      '\u0000',
    ),
    odd.map((text) => `{"${marker}":${text}`),
    odd.map((text) => `{"name":"${text}`),
    fc.integer({ min: 1, max: 12_000 }).map((depth) => '{"a":['.repeat(depth)),
    one([0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf8, 0x88], [0x80]).map((bytes) =>
      Buffer.concat([Buffer.from(`{"name":"${marker}`), Buffer.from(bytes), Buffer.from('"}')]),
    ),
    one('utf16le' as const, 'latin1' as const).map((encoding) =>
      Buffer.from(`{"name":"\u00e5${marker}"}`, encoding),
    ),
  );
  /** An object with one bad field among good, odd and repeated ones; the bad one comes last, and so counts. */
  const bodyWith = (good: object, bad: fc.Arbitrary<readonly [string, string]>) =>
    fc
      .tuple(fc.array(fc.tuple(odd, leaf.map(textOf)), { maxLength: 3 }), bad)
      .map(([extra, [field, text]]) => {
        const goods = Object.entries(good).map(([key, value]) => `${textOf(key)}:${textOf(value)}`);
        const extras = extra.map(([key, value]) => `${textOf(key)}:${value}`);
        return `{${[...extras, ...goods, `${textOf(field)}:${text}`].join(',')}}`;
      });
  const field = (key: string, ...texts: fc.Arbitrary<string>[]) =>
    fc.oneof(...texts).map((text) => [key, text] as const);

  // Paths ------------------------------------------------------------------------------------------------------------
  const oddSegment = fc
    .tuple(
      one(
        '',
        'a',
        '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a1',
        '..',
        '%2e%2e',
        ';a=b',
        ':',
        '*',
        '{}',
        '%E2%80%AE',
      ),
      one(
        '',
        '%',
        '%z',
        '%zz',
        '%ff',
        '%00',
        '%ed%a0%80',
        '%c0%af',
        '%2f',
        '%5c',
        '%25',
        '%0d%0a',
        'a'.repeat(600),
      ),
    )
    .map((both) => marker + both.join(''));
  const unknownId = one('00000000-0000-0000-0000-000000000000', '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10');
  const id = fc.oneof(unknownId, fc.constant(tenant));
  const provider = one(...providers.map((each) => each.id));
  const place = fc.oneof(
    one('limit=0', 'limit=-1', 'limit=1.5', 'limit=1001', 'limit=1e999', 'limit=', 'limit=1&limit=2'),
    one('cursor=', 'cursor=AAAA', 'cursor=%00', 'cursor=1&cursor=2'),
    oddSegment.map((text) => `limit=${text}`),
    oddSegment.map((text) => `cursor=${text}`),
    fc.uuid().map((text) => `cursor=${Buffer.from(text.replace(/^./, 'g')).toString('base64url')}`),
    fc.uuid().map((text) => `cursor=${Buffer.from(text).toString('base64url')}`),
    name.map((key) => `${key}=1&__proto__=1&constructor=1&limit=none`),
  );
  const query = fc.oneof(
    { weight: 7, arbitrary: place },
    { weight: 1, arbitrary: one('search=1&search=2', 'search=%00', 'search=%7f') },
    { weight: 1, arbitrary: one('%00', '%01', '%7f').map((text) => `search=${marker}${text}`) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 201, max: 5000 }).map((length) => `search=${marker.padEnd(length, 'x')}`),
    },
  );
  // All years that a Date has, but those in which calls are.
  const oddTime = fc.oneof(
    fc.date({ max: new Date(Date.UTC(2000, 0) - 1), noInvalidDate: true }),
    fc.date({ min: new Date(Date.UTC(3000, 0)), noInvalidDate: true }),
  );
  const placeInRecords = fc.oneof(
    place,
    fc
      .tuple(oddTime, fc.uuid())
      .map(([at, text]) => `cursor=${encodeURIComponent(at.toISOString())}_${text}`),
  );

  // Requests ---------------------------------------------------------------------------------------------------------
  const request = (
    method: string | fc.Arbitrary<string>,
    path: string | fc.Arbitrary<string>,
    headers: readonly Header[],
    body?: fc.Arbitrary<string | Buffer | undefined>,
  ): fc.Arbitrary<Input> =>
    fc.record({
      method: typeof method === 'string' ? fc.constant(method) : method,
      path: typeof path === 'string' ? fc.constant(path) : path,
      headers: fc.constant(headers),
      body: body ?? fc.constant(undefined),
      isChunked: body ? fc.boolean() : fc.constant(false),
    });
  const admin = [...asSysadmin, ...json];
  const caller = [...asPlatform(tenant), ...json];
  const callPath = one(
    ...['chat/completions', 'embeddings', 'completions', 'responses', 'messages', 'messages/count_tokens'],
    ...['audio/speech', 'images/generations', 'moderations'],
  ).map((operation) => `/v1/${operation}`);

  const badName = field(
    'name',
    noText,
    withControl.map(textOf),
    long.map(textOf),
    one('""', '"   "', 'null'),
  );
  const badDisplayName = field('display_name', noText, withControl.map(textOf), long.map(textOf));
  const badContact = field(
    'contact_email',
    noText,
    withControl.map(textOf),
    long.map(textOf),
    one('""', '"it-drift"', '"a@b@c.example"'),
  );
  const badState = field('state', noText, odd.map(textOf), one('""', '"Active"', '["active"]'));
  const badId = field('id', noText, odd.map(textOf), one('""', '"0b9d4a0e"'));
  const tenants = fc.oneof(
    request(
      'POST',
      sysadminRoot,
      admin,
      fc.oneof(
        bodyWith({}, badName),
        ...[badDisplayName, badContact, badState, badId].map((bad) => bodyWith({ name: 'good' }, bad)),
        noObject,
        brokenJson,
      ),
    ),
    request(
      'PATCH',
      `${sysadminRoot}/${tenant}`,
      admin,
      fc.oneof(
        ...[badName.filter(([, text]) => text !== 'null'), badDisplayName, badContact, badState].map((bad) =>
          bodyWith({}, bad),
        ),
        noObject,
        brokenJson,
      ),
    ),
    request(
      one('GET', 'PATCH', 'DELETE'),
      oddSegment.map((text) => `${sysadminRoot}/${text}`),
      admin,
      fc.oneof(brokenJson, fc.constant('{}')),
    ),
    request(
      one('GET', 'DELETE'),
      unknownId.map((text) => `${sysadminRoot}/${text}`),
      asSysadmin,
    ),
    request(
      'GET',
      query.map((text) => `${sysadminRoot}?${text}`),
      asSysadmin,
    ),
    request(
      'GET',
      placeInRecords.map((text) => `/api/v1/sysadmin/usage/records?${text}`),
      asSysadmin,
    ),
  );

  const auditQuery = fc.oneof(
    fc
      .tuple(one('action', 'actor'), one('', marker), one('%00', '%01', '%7f'))
      .map(([filter, text, control]) => `${filter}=${text}${control}`),
    fc
      .tuple(one('action', 'actor'), fc.integer({ min: 201, max: 5000 }))
      .map(([filter, length]) => `${filter}=${marker.padEnd(length, 'x')}`),
    one(
      'limit=0',
      'cursor=0',
      'outcome=',
      'since=yesterday',
      'until=2026-02-30',
      'tenant_id=1',
      'actor=1&actor=2',
    ),
  );
  const audit = request(
    'GET',
    fc
      .tuple(one('', '/export'), auditQuery)
      .map(([path, text]) => `/api/v1/sysadmin/audit-events${path}?${text}`),
    asSysadmin,
  );

  const badKey = field(
    'api_key',
    noText,
    withControl.map(textOf),
    long.map(textOf),
    odd.map((text) => textOf(`${text}\u00e5`)),
    one('null', '""', '"short"', '"        "', '"...abcd"'),
  );
  const badEndpoint = field(
    'endpoint',
    noText,
    odd.map(textOf),
    long.map((text) => textOf(`https://llm.example.com/${text}`)),
    withControl.map((text) => textOf(`https://llm.example.com/${text}`)),
    odd.map((text) => textOf(`https://user:${text}@llm.example.com`)),
    odd.map((text) => textOf(`https://llm.example.com/?${text}`)),
    one(
      'ftp://llm.example.com',
      'javascript:1',
      'file:///etc/passwd',
      'https:llm.example.com',
      'https://',
    ).map(textOf),
    one(
      'http://127.0.0.1:1',
      'http://0x7f.1',
      'http://169.254.169.254',
      'http://[::1]:1',
      'http://localhost',
    ).map(textOf),
    one('https://llm.example.com:99999', 'https://[::', 'https://a b', 'https://llm.example.com\\@x').map(
      textOf,
    ),
  );
  const azure = {
    api_key: tenantKey,
    endpoint: 'https://sundsvall.openai.azure.com',
    api_version: '2024-10-21',
    deployment_name: 'gpt-4o',
  };
  const badAzure = fc.oneof(
    badEndpoint,
    field(
      'api_version',
      noText,
      odd.map((text) => textOf(`${text} `.padEnd(40, '/'))),
    ),
    field(
      'deployment_name',
      noText,
      odd.map((text) => textOf(`/${text}`)),
      long.map(textOf),
    ),
    field(
      'deployments',
      fc.oneof(odd, fc.array(odd, { maxLength: 3 }), fc.integer(), fc.boolean()).map(textOf),
      name.filter((key) => key !== '__proto__').map((key) => `{"a":"b",${textOf(key)}:5}`),
      name
        .filter((key) => key !== '__proto__')
        .map((key) => `{"a":"b",${textOf(key)}:{"constructor":{"a":null}}}`),
      odd.map((key) => `{${textOf(`${key} `)}:"one"}`),
      deep.map((text) => `{"a":${text}}`),
      fc.constant(textOf(Object.fromEntries(Array.from({ length: 201 }, (_, each) => [`m${each}`, 'one'])))),
    ),
  );
  const credentials = fc.oneof(
    request(
      'PUT',
      provider.map((each) => `${sysadminRoot}/${tenant}/credentials/${each}`),
      admin,
      fc.oneof(bodyWith({}, badKey), bodyWith({ api_key: tenantKey }, badKey), noObject, brokenJson),
    ),
    request(
      'PUT',
      one('openai', 'vllm', 'ovhcloud', 'berget').map(
        (each) => `${sysadminRoot}/${tenant}/credentials/${each}`,
      ),
      admin,
      bodyWith({ api_key: tenantKey }, badEndpoint),
    ),
    request('PUT', `${sysadminRoot}/${tenant}/credentials/azure`, admin, bodyWith(azure, badAzure)),
    request(
      'PUT',
      provider.map((each) => `${sysadminRoot}/${tenant}/credentials/${each}?stage=true`),
      admin,
      fc.oneof(bodyWith({ api_key: tenantKey }, badKey), noObject, brokenJson),
    ),
    request(
      'PUT',
      oddSegment.map((text) => `${sysadminRoot}/${tenant}/credentials/openai?stage=${text}`),
      admin,
      fc.constant(textOf({ api_key: tenantKey })),
    ),
    request(
      'POST',
      one('verify', 'promote', 'rollback').map(
        (step) => `${sysadminRoot}/${tenant}/credentials/openai/${step}`,
      ),
      admin,
      fc.oneof(bodyWith({}, badKey), noObject, brokenJson),
    ),
    request(
      one('POST', 'DELETE'),
      fc
        .tuple(one('promote?version', 'verify?slot', '?slot'), oddSegment)
        .map(([path, text]) => `${sysadminRoot}/${tenant}/credentials/openai/${path}=${text}`),
      asSysadmin,
    ),
    request(
      one('PUT', 'DELETE'),
      fc.tuple(id, oddSegment).map(([each, text]) => `${sysadminRoot}/${each}/credentials/${text}`),
      admin,
      fc.oneof(brokenJson, fc.constant(textOf(azure))),
    ),
    request(
      one('PUT', 'DELETE'),
      fc.tuple(oddSegment, provider).map(([text, each]) => `${sysadminRoot}/${text}/credentials/${each}`),
      admin,
      fc.constant(textOf(azure)),
    ),
    request(
      'GET',
      fc.oneof(oddSegment, unknownId).map((text) => `${sysadminRoot}/${text}/credentials`),
      asSysadmin,
    ),
    request(
      one('PUT', 'DELETE'),
      fc.tuple(unknownId, provider).map(([text, each]) => `${sysadminRoot}/${text}/credentials/${each}`),
      admin,
      fc.constant(textOf(azure)),
    ),
  );

  const badModel = field(
    'model',
    noText,
    odd.map(textOf),
    long.map(textOf),
    one('null', '""', '"gpt-4o "', '"GPT-4O"'),
  );
  const messages = [{ role: 'user', content: 'hello' }];
  const calls = fc.oneof(
    request('POST', callPath, caller, fc.oneof(bodyWith({ messages }, badModel), noObject, brokenJson)),
    // Twice, in whatever spelling: which one a provider reads is its own choice.
    request(
      'POST',
      '/v1/chat/completions',
      caller,
      one('"model"', '"m\\u006fdel"').map((key) => `{"model":"gpt-4o","messages":[],${key}:"gpt-4o"}`),
    ),
    request(
      'POST',
      '/v1/chat/completions',
      caller,
      fc.constant('{"model":"text-embedding-3-small","messages":[]}'),
    ),
    request(
      'POST',
      '/v1/embeddings',
      caller,
      one('gpt-4o', 'claude-sonnet').map((model) => textOf({ model, input: 'a' })),
    ),
    // What Anthropic's format cannot express.
    request(
      'POST',
      '/v1/chat/completions',
      caller,
      fc.oneof(
        bodyWith(
          { model: 'claude-sonnet' },
          field('messages', noText, odd.map(textOf), one('[]', '[null]', '[{}]')),
        ),
        bodyWith(
          { model: 'claude-sonnet', messages },
          fc.oneof(
            ...['temperature', 'top_p', 'max_tokens'].map((key) =>
              field(key, odd.map(textOf), one('-1', '1.5', '[]')),
            ),
            ...['stop', 'user'].map((key) => field(key, one('5', '[5]', '{}', 'true'), deep)),
            field('tools', deep, odd.map(textOf)),
            fc.tuple(odd, deep),
          ),
        ),
      ),
    ),
    request(
      one('GET', 'POST'),
      one('/v1/models', '/v1/chat/completions', '/v1/embeddings'),
      [...json, ['x-api-key', platformKey]],
      fc.constant(undefined),
    ),
    // Forms: of no form at all, without a model, with one that is not there, with a second one, cut short.
    fc
      .record({
        head: fc.oneof(one('name="model"', 'name=file; filename=a.wav', 'name=model; filename=m', ''), odd),
        value: odd,
        end: one('\r\n--x--\r\n', '\r\n--x', '', '\r\n--x\r\n\r\n'),
        path: one(
          '/v1/audio/transcriptions',
          '/v1/audio/transcriptions',
          '/v1/chat/completions',
          '/v1/embeddings',
        ),
        type: one(
          'multipart/form-data; boundary=x',
          'multipart/form-data',
          'Multipart/Form-Data; boundary="x"',
        ),
      })
      .map(({ head, value, end, path, type }) => ({
        method: 'POST',
        path,
        headers: [...asPlatform(tenant), ['content-type', type]] as readonly Header[],
        body: Buffer.from(`--x\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}${end}`),
      })),
    request('POST', '/v1/audio/transcriptions', caller, fc.oneof(noObject, brokenJson)),
    fc.tuple(oddHeader(), callPath, brokenJson).map(([value, path, body]) => ({
      method: 'POST',
      path,
      headers: [...json, ['x-api-key', platformKey], ['x-tenant-id', value]] as const,
      body,
    })),
    fc.tuple(unknownId, callPath).map(([value, path]) => ({
      method: 'POST',
      path,
      headers: [...json, ...asPlatform(value)],
      body: textOf({ model: 'gpt-4o', messages }),
    })),
    fc.constant<Input>({
      method: 'GET',
      path: '/v1/models',
      headers: [...asPlatform(tenant), ['x-tenant-id', tenant]],
    }),
  );

  const bodies: readonly (readonly [string, string, readonly Header[], string])[] = [
    ['POST', sysadminRoot, asSysadmin, textOf({ name: 'good' })],
    ['PATCH', `${sysadminRoot}/${tenant}`, asSysadmin, textOf({ display_name: 'good' })],
    ['PUT', `${sysadminRoot}/${tenant}/credentials/openai`, asSysadmin, textOf({ api_key: tenantKey })],
    ['POST', '/v1/chat/completions', asPlatform(tenant), textOf({ model: 'gpt-4o', messages })],
    ['POST', '/v1/embeddings', asPlatform(tenant), textOf({ model: 'text-embedding-3-small', input: 'a' })],
  ];
  const contentType = fc.oneof(
    one(
      '',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
    ),
    one(
      ';',
      '/',
      'application/',
      'application/json/',
      'application/jsonx',
      'json',
      '*/*',
      'text/json',
      'a'.repeat(3000),
    ),
    oddHeader().map((text) => `application/${text}`),
    oddHeader(),
  );
  const unread = fc.oneof(
    fc
      .tuple(one(...bodies), contentType, fc.boolean())
      .map(([[method, path, headers, body], type, isChunked]) => ({
        method,
        path,
        headers: [...headers, ['content-type', type]] as const,
        body,
        isChunked,
      })),
    fc.tuple(one(...bodies)).map(([[method, path, headers, body]]) => ({ method, path, headers, body })),
    fc
      .tuple(one(...bodies))
      .map(([[method, path, headers]]) => ({ method, path, headers: [...headers, ...json], body: '' })),
  );
  const huge = fc
    .tuple(one(...bodies), fc.integer({ min: 1, max: 100_000 }), fc.boolean(), one(' ', '[', '"', '\\'))
    .map(([[method, path, headers], more, isChunked, fill]) => ({
      method,
      path,
      headers: [...headers, ...json],
      body: `{"${marker}":"`.padEnd((path.startsWith('/v1/') ? maxBodyBytes : 1024 * 1024) + more, fill),
      isChunked,
    }));

  const routes: readonly (readonly [string, readonly Header[], readonly string[]])[] = [
    [sysadminRoot, asSysadmin, ['GET', 'POST']],
    [`${sysadminRoot}/${tenant}`, asSysadmin, ['GET', 'PATCH', 'DELETE']],
    [`${sysadminRoot}/${tenant}/credentials`, asSysadmin, ['GET']],
    [`${sysadminRoot}/${tenant}/credentials/openai`, asSysadmin, ['PUT', 'DELETE']],
    ['/v1/chat/completions', asPlatform(tenant), ['POST']],
    ['/v1/embeddings', asPlatform(tenant), ['POST']],
    ['/v1/models', asPlatform(tenant), ['GET']],
    ['/health', [], ['GET']],
    ['/ready', [], ['GET']],
    ['/docs', [], ['GET']],
    ['/docs/openapi.json', [], ['GET']],
  ];
  const methods = [
    'GET',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'SEARCH',
    'MKCOL',
    'LOCK',
  ];
  const misdirected = fc.oneof(
    fc
      .tuple(one(...routes), one(...methods), fc.option(brokenJson, { nil: undefined }), contentType)
      .filter(([[, , own], method]) => !own.includes(method))
      .map(([[path, headers], method, body, type]) => ({
        method,
        path,
        headers: [...headers, ['content-type', type]] as const,
        body,
      })),
    fc
      .tuple(
        one(
          '/',
          '//',
          '/docs/',
          '/v1/',
          '/v1/models/',
          `${sysadminRoot}/${tenant}/`,
          '/api/v1/sysadmin/',
          '/health/',
          '/..;/',
        ),
        oddSegment,
        one(asSysadmin, asPlatform(tenant), [] as readonly Header[]),
        one(...methods),
      )
      .map(([prefix, text, headers, method]) => ({ method, path: prefix + text, headers })),
    // Without a key, or with a wrong one.
    fc
      .tuple(
        one(...routes.slice(0, 7)),
        fc.option(oddHeader()),
        one('', '/', '?x-api-key=1', '%20', '%zz'),
        brokenJson,
      )
      .map(([[path, , [method]], key, suffix, body]) => ({
        method: method!,
        path: path + suffix,
        headers: [...json, ...(key === null ? [] : [['x-api-key', key] as const])],
        body,
      })),
    fc.tuple(one(...routes.slice(0, 7)), oddHeader()).map(([[path, headers, [method]], second]) => ({
      method: method!,
      path,
      headers: [...headers, ['x-api-key', second]] as const,
    })),
  );

  const floods = fc
    .tuple(one(...routes), fc.integer({ min: 20_000, max: 48_000 }), one(1, 4, 400))
    .map(([[path, headers, [method]], size, lines]) => ({
      method: method!,
      path,
      headers: [
        ...headers,
        ...Array.from({ length: lines }, (_, each): Header => [
          `x-${marker}-${each}`,
          marker.padEnd(Math.ceil(size / lines), 'x'),
        ]),
      ],
    }));
  const head = `x-${marker}: 1\r\nhost: tenkey.test`;
  const notHttp = fc
    .tuple(
      one(
        `GET /health HTTP/1.1\r\nx-${marker}: 1`,
        `GET /v1/models HTTP/1.1\r\nx-api-key: ${platformKey}`,
        `GET /health HTTP/9.9\r\n${head}`,
        `GET /health HTTP/1.1x\r\n${head}`,
        `GET /${marker}\r\n${head}`,
        `GET  HTTP/1.1\r\n${head}`,
        `${marker} /health HTTP/1.1\r\n${head}`,
        `get /health HTTP/1.1\r\n${head}`,
        `GET /${marker} x HTTP/1.1\r\n${head}`,
        `GET /${marker}\u0000 HTTP/1.1\r\n${head}`,
        `GET /${marker}\u00e5 HTTP/1.1\r\n${head}`,
        `GET ${marker} HTTP/1.1\r\n${head}`,
        `GET http://${marker}/no-such HTTP/1.1\r\n${head}`,
        `GET http://${marker}/v1/models HTTP/1.1\r\n${head}`,
        `OPTIONS * HTTP/1.1\r\n${head}`,
        `GET /health HTTP/1.1\r\n${head}\r\n${marker}`,
        `GET /health HTTP/1.1\r\n${head}\r\n${marker} : 1`,
        `GET /health HTTP/1.1\r\n${head}\r\n: ${marker}`,
        `GET /health HTTP/1.1\r\n${head}\r\nx: ${marker}\u0000`,
        `GET /health HTTP/1.1\r\n${head}\r\nx: a\rb`,
        `POST /health HTTP/1.1\r\n${head}\r\nexpect: ${marker}`,
        `POST /health HTTP/1.1\r\n${head}\r\ncontent-length: -1`,
        `POST /health HTTP/1.1\r\n${head}\r\ncontent-length: ${marker}`,
        `POST /health HTTP/1.1\r\n${head}\r\ncontent-length: 1\r\ncontent-length: 2`,
        `POST /health HTTP/1.1\r\n${head}\r\ncontent-length: 1\r\ntransfer-encoding: chunked`,
        `POST /health HTTP/1.1\r\n${head}\r\ntransfer-encoding: ${marker}`,
        `POST ${sysadminRoot} HTTP/1.1\r\n${head}\r\nx-api-key: ${superKey}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${marker}`,
        `POST ${sysadminRoot} HTTP/1.1\r\n${head}\r\nx-api-key: ${superKey}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff`,
        '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
        'PRI * HTTP/2.0\r\n\r\nSM',
        '\u0000\u0000\u0000',
        '{"jsonrpc":"2.0"}',
      ),
      one('', 'x', '\u0000', '\u00ff'),
    )
    .map(([text, tail]): Input => ({ method: '', path: '', raw: `${text}\r\n\r\n${tail}` }));

  return fc.oneof(
    { weight: 24, arbitrary: tenants },
    { weight: 3, arbitrary: audit },
    { weight: 26, arbitrary: credentials },
    { weight: 22, arbitrary: calls },
    { weight: 6, arbitrary: unread },
    { weight: 2, arbitrary: huge },
    { weight: 14, arbitrary: misdirected },
    { weight: 2, arbitrary: floods },
    { weight: 4, arbitrary: notHttp },
  );

  /** A header's value that is wrong as a key, a tenant's id or a type, and that HTTP itself allows. */
  function oddHeader(): fc.Arbitrary<string> {
    return fc
      .tuple(
        one(
          '',
          '0b9d4a0e-6c1b-4d59-9f0e',
          '\t',
          '"',
          ',',
          ';',
          '=',
          '\u00e5',
          '\u{1f600}',
          '%00',
          '__proto__',
        ),
        odd,
      )
      .map(([piece, text]) => marker + piece + text.replace(/[^\x20-\x7e]/g, ''));
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value);
}
