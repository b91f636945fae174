import fc from 'fast-check';
import { fixedProviders } from '#providers';
import { anyText } from '../any-text';
import { platformKey, superKey } from '../app';

export const tenantKey = 'key-of-the-tenant-with-bad-callers';
/** Part of every text that is made up here. No response and no log line may repeat it. */
export const marker = 'zqMarkerqz';
export const maxBodyBytes = 64 * 1024;
export const sysadminRoot = '/api/v1/sysadmin/tenants';

export interface Input {
  readonly method: string;
  /** Sent as it is, so that it can be invalid. */
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
  readonly isChunked?: boolean;
  /** Sent in place of everything above. */
  readonly raw?: string | Buffer;
}

export type Header = readonly [string, string];
export const json: readonly Header[] = [['content-type', 'application/json']];
export const asSysadmin: readonly Header[] = [['x-api-key', superKey]];
export const asPlatform = (tenant: string): readonly Header[] => [
  ['x-api-key', platformKey],
  ['x-tenant-id', tenant],
];

export const messages = [{ role: 'user', content: 'hello' }];

/** Texts, values, paths and headers that are wrong, from which requests are made. */
export function ingredients(tenant: string) {
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
    anyText({ maxLength: 8 }),
  );
  const odd = fc.array(oddPiece, { maxLength: 4 }).map((pieces) => marker + pieces.join(''));
  const withControl = fc
    .tuple(odd, one('\u0000', '\u0007', '\u0085', '\ud800', 'x\udc00'))
    .map((both) => both.join(''));
  const long = fc.integer({ min: 10_300, max: 40_000 }).map((length) => marker.padEnd(length, 'x'));

  // Values that are not texts -----------------------------------------------------------------------------------------
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
  /** JSON of a value that is neither a string nor null. */
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
  /** An object with one bad field among good, odd and repeated ones. The bad one comes last, so that it counts. */
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
  const provider = one(...fixedProviders.map((each) => each.id));
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
  // All years of a Date except those in which calls are recorded.
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
    ...['audio/speech', 'images/generations', 'images/edits', 'moderations', 'rerank'],
  ).map((operation) => `/v1/${operation}`);

  /** A header's value that HTTP allows, but that is wrong as a key, a tenant's id or a type. */
  const oddHeader = () =>
    fc
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
  return {
    one,
    oddPiece,
    odd,
    withControl,
    long,
    name,
    leaf,
    tree,
    deep,
    noText,
    noObject,
    brokenJson,
    bodyWith,
    field,
    oddSegment,
    unknownId,
    id,
    provider,
    place,
    query,
    oddTime,
    placeInRecords,
    request,
    admin,
    caller,
    callPath,
    oddHeader,
    bodies,
    contentType,
  };
}

export type Ingredients = ReturnType<typeof ingredients>;

export function textOf(value: unknown): string {
  return JSON.stringify(value);
}
