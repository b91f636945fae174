import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { problems } from '#http';
import { platformKey, startTestApp, superKey, type TestApp } from './support/app';

/** Small and repeatable (mulberry32); the seed stands in every failure. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const marker = 'MARKER-of-bad-input';
const cases = 2000;
const secretHeader = 'bad-input-secret-key-of-tenant';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

describe('bad input', () => {
  let test: TestApp;
  let port: number;
  let tenant: string;
  beforeAll(async () => {
    test = await startTestApp({ LOG_LEVEL: 'info', MAX_BODY_BYTES: '200000' });
    port = (test.app.getHttpServer().address() as { port: number }).port;
    tenant = await test.createTenant('the one that stays');
    await test.setCredential(tenant, 'openai', { api_key: secretHeader });
  });
  afterAll(() => test.close());

  const send = (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: Buffer,
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const outgoing = httpRequest({ port, host: '127.0.0.1', method, path, headers }, (incoming) => {
        const parts: Buffer[] = [];
        incoming.on('data', (part: Buffer) => parts.push(part));
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode ?? 0,
            type: String(incoming.headers['content-type']),
            text: Buffer.concat(parts).toString('utf8'),
          }),
        );
      });
      // A refused body may be cut off while it is still being sent, after the answer.
      outgoing.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error),
      );
      outgoing.end(body);
    });

  it(`${cases} random bad requests get 4xx in our shape, and nothing of them comes back`, async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const next = random(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;

    const oddTexts = [
      '',
      ' ',
      '\u0000',
      '\ud800',
      'x'.repeat(5000),
      marker,
      `${marker}\u202e\ufeff`,
      '../../etc/passwd',
      "'; DROP TABLE tenants; --",
      '🗝️'.repeat(50),
      '__proto__',
      'constructor',
      '{{7*7}}',
      '%s%n',
      'NaN',
    ];
    const oddValue = (depth = 0): unknown => {
      const kind = Math.floor(next() * (depth > 3 ? 6 : 8));
      if (kind === 0) return pick(oddTexts);
      if (kind === 1) return pick([0, -1, 1e308, 1.5, Number.MAX_SAFE_INTEGER]);
      if (kind === 2) return pick([true, false, null]);
      if (kind === 3) return [];
      if (kind === 4) return {};
      if (kind === 5) return marker;
      if (kind === 6) return [oddValue(depth + 1), oddValue(depth + 1)];
      return { [pick(['api_key', 'name', 'model', marker, '__proto__', ''])]: oddValue(depth + 1) };
    };
    // Bodies that no route accepts, whatever else is right.
    const badBodies: (() => Buffer)[] = [
      () => Buffer.from('{"broken": "' + marker),
      () => Buffer.from('['.repeat(Math.floor(next() * 20_000) + 1)),
      () => Buffer.from(JSON.stringify([oddValue()])),
      () => Buffer.from(JSON.stringify(pick(oddTexts))),
      () => Buffer.from([0xff, 0xfe, 0x7b, 0x7d]),
      () => Buffer.from('{"model":"' + marker + '","model":"x","name":[],"api_key":{}}'),
      () =>
        Buffer.from(
          JSON.stringify({ name: [marker], api_key: { a: oddValue() }, model: { b: oddValue() }, state: 7 }),
        ),
      () =>
        Buffer.from(
          `{"name":"${'\\u0000'}${marker}","api_key":"${marker}\\u0007","model":"\\ud800${marker}"}`,
        ),
      () => Buffer.alloc(1024 * 1024 + 5 + Math.floor(next() * 1000), 0x20),
      () => Buffer.from('nul'),
      () => Buffer.alloc(0),
    ];
    const uuid = '00000000-0000-4000-8000-000000000000';
    const badIds = [
      'x',
      marker,
      `${uuid}0`,
      '%00',
      '%E0%A4',
      '..%2f..',
      encodeURIComponent('🗝️'),
      'x'.repeat(600),
      "1'OR'1",
    ];
    const sysadmin = { 'x-api-key': superKey, 'content-type': 'application/json' };
    const platform = { 'x-api-key': platformKey, 'x-tenant-id': tenant, 'content-type': 'application/json' };
    const root = '/api/v1/sysadmin/tenants';
    const makers: (() => [string, string, Record<string, string>, Buffer?])[] = [
      () => ['POST', root, sysadmin, pick(badBodies)()],
      () => [
        'PUT',
        `${root}/${tenant}/credentials/${pick(['openai', 'azure', 'vllm', 'mistral'])}`,
        sysadmin,
        pick(badBodies)(),
      ],
      () => [
        'PUT',
        `${root}/${pick(badIds)}/credentials/openai`,
        sysadmin,
        Buffer.from('{"api_key":"fine-key-12345"}'),
      ],
      () => [
        'PUT',
        `${root}/${tenant}/credentials/${pick(badIds)}`,
        sysadmin,
        Buffer.from('{"api_key":"fine-key-12345"}'),
      ],
      () => [pick(['GET', 'DELETE']), `${root}/${pick(badIds)}`, { 'x-api-key': superKey }],
      () => [
        'GET',
        `${root}?${pick(['limit=0', 'limit=x', 'limit=9999', `cursor=${marker}`, 'limit=1&limit=2', 'search=%00'])}`,
        { 'x-api-key': superKey },
      ],
      () => [
        'PATCH',
        `${root}/${tenant}`,
        sysadmin,
        Buffer.from(JSON.stringify({ state: oddValue(), name: [oddValue()] })),
      ],
      () => ['POST', pick(['/v1/chat/completions', '/v1/embeddings']), platform, pick(badBodies)()],
      () => [
        'POST',
        '/v1/chat/completions',
        platform,
        Buffer.from(
          JSON.stringify({
            model: pick([marker, '', null, 5, '__proto__', 'text-embedding-3-small', 'gpt-4o-legacy']),
            messages: oddValue(),
          }),
        ),
      ],
      () => [
        'POST',
        '/v1/chat/completions',
        { ...platform, 'x-tenant-id': pick([marker, '', uuid, `${uuid},${uuid}`]) },
        Buffer.from('{"model":"gpt-4o"}'),
      ],
      () => [
        'POST',
        pick([root, '/v1/chat/completions']),
        {
          ...pick([sysadmin, platform]),
          'content-type': pick([
            'text/plain',
            'application/xml',
            marker.toLowerCase(),
            'multipart/form-data',
            'application/json; charset=utf-16',
          ]),
        },
        Buffer.from(marker),
      ],
      () => [
        pick(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']),
        pick([root, '/v1/models', '/v1/chat/completions']),
        pick([sysadmin, platform]),
      ],
      () => [
        'GET',
        pick([
          `/${marker}`,
          '/v1/%zz',
          `/v1/${marker}`,
          `/api/v1/sysadmin/${marker}`,
          '/%2e%2e/x',
          `/docs/../${marker}x`,
        ]),
        pick([sysadmin, platform, {}]),
      ],
      () => [
        'GET',
        root,
        {
          ...sysadmin,
          ...Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`x-flood-${i}`, marker.repeat(20)])),
        },
      ],
      () => [
        'POST',
        root,
        {
          'x-api-key': pick([marker, '', `${superKey} `.repeat(2), `Bearer ${superKey}`]),
          'content-type': 'application/json',
        },
        pick(badBodies)(),
      ],
    ];

    const failures: string[] = [];
    for (let index = 0; index < cases && failures.length < 5; index += 1) {
      const [method, path, headers, body] = pick(makers)();
      const answer = await send(method, path, headers, body);
      const at = `seed ${seed}, case ${index}: ${method} ${path.slice(0, 120)} ${body?.toString('latin1').slice(0, 80) ?? ''} -> ${answer.status} ${answer.text.slice(0, 300)}`;
      if (answer.status < 400 || answer.status > 499) failures.push(`not 4xx: ${at}`);
      if (answer.text.includes(marker)) failures.push(`echo: ${at}`);
      if (answer.text.includes(superKey) || answer.text.includes(platformKey)) failures.push(`secret: ${at}`);
      let code: unknown;
      try {
        const json = JSON.parse(answer.text) as { code?: unknown; error?: { code?: unknown } };
        code = json.code ?? json.error?.code;
      } catch {
        code = undefined;
      }
      if (typeof code !== 'string' || !(code in problems)) failures.push(`not our shape: ${at}`);
    }
    expect(failures).toEqual([]);

    expect((await test.http().get('/health')).status).toBe(200);
    expect((await test.chat(tenant)).status).toBe(200);
    const list = await test.sysadmin('get', '/tenants');
    expect(list.body.items.map(({ name }: { name: string }) => name)).toEqual(['the one that stays']);
  }, 120_000);

  it.each([
    [
      'a header flood',
      `GET /v1/models HTTP/1.1\r\nhost: x\r\n${`x-flood: ${'y'.repeat(1000)}\r\n`.repeat(40)}\r\n`,
      431,
    ],
    ['no HTTP at all', `${marker}\r\n\r\n`, 400],
    ['a bad length', 'POST /v1/models HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n', 400],
  ])('%s on the socket gets our shape', async (_, bytes, status) => {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      let received = '';
      socket.on('data', (part) => (received += part.toString()));
      socket.on('close', () => resolve(received));
      socket.on('error', reject);
    });
    expect(text).toContain(`HTTP/1.1 ${status} `);
    expect(text).toContain('"code":"malformed_request"');
    expect(text).not.toContain(marker);
  });
});
