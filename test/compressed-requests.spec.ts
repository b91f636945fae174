import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo } from 'node:net';
import * as zlib from 'node:zlib';
import { describeWithApp, platformKey, superKey } from './support/app';
import { cpuTimeMs } from './support/cpu-time';

const { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } = zlib;
const { zstdCompressSync } = zlib as { zstdCompressSync?: (bytes: Uint8Array) => Buffer };
const MEBI = 1024 * 1024;
const accepted = zstdCompressSync === undefined ? 'gzip, deflate, br' : 'gzip, deflate, br, zstd';

type Compress = (bytes: Buffer) => Buffer;
const encodings: [string, Compress][] = [
  ['gzip', (bytes) => gzipSync(bytes)],
  ['X-Gzip', (bytes) => gzipSync(bytes)],
  ['deflate', (bytes) => deflateSync(bytes)],
  ['deflate', (bytes) => deflateRawSync(bytes)],
  ['br', (bytes) => brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } })],
  ...(zstdCompressSync === undefined ? [] : [['zstd', zstdCompressSync] as [string, Compress]]),
];

const settings = { MAX_BODY_BYTES: String(MEBI), MAX_BUFFERED_BYTES: String(MEBI) };

describeWithApp('compressed requests', settings, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-a-compressing-client' });
    await tenkey.setCredential(tenant, 'anthropic', { api_key: 'sk-ant-key-of-a-compressing-client' });
  });
  beforeEach(() => tenkey.provider.reset());

  async function post(
    path: string,
    parts: readonly Buffer[],
    headers: Record<string, string>,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; body: any }> {
    const { port } = tenkey.nest.getHttpServer().address() as AddressInfo;
    const key = path.startsWith('/v1')
      ? { 'x-api-key': platformKey, 'x-tenant-id': tenant }
      : { 'x-api-key': superKey };
    const asked = request({
      port,
      host: '127.0.0.1',
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json', ...key, ...headers },
    });
    // One part has a Content-Length, several are chunked.
    if (parts.length === 1) asked.end(parts[0]);
    else
      for (const [index, part] of parts.entries()) asked[index === parts.length - 1 ? 'end' : 'write'](part);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    for await (const part of response) text += String(part);
    return { status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) };
  }

  const bytesOf = (body: object) => Buffer.from(JSON.stringify(body));
  const chat = (content = 'hello', model = 'gpt-4o') => ({ model, messages: [{ role: 'user', content }] });
  const halves = (bytes: Buffer) => [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)];

  it.each(encodings)('in %s are decoded, and the provider gets plain bytes', async (encoding, compress) => {
    const long = randomBytes(300_000).toString('base64');
    for (const content of ['hello', long]) {
      const compressed = compress(bytesOf(chat(content)));
      const bytes = [...compressed.subarray(0, 50)].map((byte) => Buffer.of(byte) as Buffer);
      for (const parts of [[compressed], halves(compressed), [...bytes, compressed.subarray(50)]]) {
        tenkey.provider.reset();
        const { status } = await post('/v1/chat/completions', parts, { 'content-encoding': encoding });
        expect(status).toBe(200);
        expect(tenkey.provider.requests.map(({ body }) => body)).toEqual([
          expect.objectContaining({ messages: [{ role: 'user', content }] }),
        ]);
        const { headers } = tenkey.provider.requests[0]!;
        expect([headers['content-encoding'], headers['content-type']]).toEqual([
          undefined,
          'application/json',
        ]);
      }
    }
  });

  it.each(encodings)('in %s are decoded on every route', async (encoding, compress) => {
    const headers = { 'content-encoding': encoding };
    const boundary = 'a-boundary';
    const form = [
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nsound`,
      `\r\n--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n--${boundary}--\r\n`,
    ].join('');
    const results = [
      await post(
        '/v1/embeddings',
        [compress(bytesOf({ model: 'text-embedding-3-small', input: 'a' }))],
        headers,
      ),
      await post(
        '/v1/messages',
        [compress(bytesOf({ ...chat('hello', 'claude-sonnet'), max_tokens: 5 }))],
        headers,
      ),
      await post('/v1/audio/transcriptions', halves(compress(Buffer.from(form))), {
        ...headers,
        'content-type': `multipart/form-data; boundary=${boundary}`,
      }),
    ];
    expect(results.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(tenkey.provider.requests[2]!.form).toMatchObject({
      file: { name: 'a.wav', type: 'audio/wav', size: 5 },
    });
    const name = `tenant-${encoding}-${randomBytes(4).toString('hex')}`;
    const made = await post('/api/v1/sysadmin/tenants', [compress(bytesOf({ name }))], headers);
    expect([made.status, made.body.name]).toEqual([201, name]);
  });

  it.each(['identity', '', ' Identity '])('with the encoding %j are plain', async (encoding) => {
    const { status } = await post('/v1/chat/completions', [bytesOf(chat())], {
      'content-encoding': encoding,
    });
    expect(status).toBe(200);
  });

  it.each(['compress', 'gzip, br', 'gzip, gzip', 'identity, gzip', 'q7zk', 'constructor'])(
    'in %s are refused with the encodings that are accepted',
    async (encoding) => {
      const body = [gzipSync(bytesOf(chat()))];
      for (const path of ['/v1/chat/completions', '/v1/messages', '/api/v1/sysadmin/tenants']) {
        const refused = await post(path, body, { 'content-encoding': encoding });
        expect([refused.status, refused.headers['accept-encoding']]).toEqual([415, accepted]);
        expect(JSON.stringify(refused.body)).toContain(`one content encoding: ${accepted}`);
        expect(JSON.stringify(refused.body)).not.toContain('q7zk');
      }
      expect(tenkey.provider.requests).toHaveLength(0);
    },
  );

  const whole = bytesOf(chat());
  it.each(encodings)(
    'in %s that are cut, damaged or followed by more are refused',
    async (encoding, compress) => {
      const compressed = compress(whole);
      const broken: [string, Buffer][] = [
        ['cut by a byte', compressed.subarray(0, -1)],
        ['cut in half', halves(compressed)[0]!],
        ['one byte', Buffer.of(0x1f)],
        ['not compressed', whole],
        ['followed by text', Buffer.concat([compressed, Buffer.from('{"a":1}')])],
        ['followed by zeros', Buffer.concat([compressed, Buffer.alloc(10)])],
      ];
      for (const [what, bytes] of broken) {
        for (const parts of [
          [bytes],
          [bytes.subarray(0, -1), bytes.subarray(-1)],
          [compressed.subarray(0, 0), bytes],
        ]) {
          const { status, body } = await post('/v1/chat/completions', parts, {
            'content-encoding': encoding,
          });
          expect([what, status, body.error?.code]).toEqual([what, 400, 'malformed_request']);
        }
      }
      expect(tenkey.provider.requests).toHaveLength(0);
    },
  );

  it('may consist of several gzip members', async () => {
    const members = Buffer.concat(halves(whole).map((half) => gzipSync(half)));
    const { status } = await post('/v1/chat/completions', [members], { 'content-encoding': 'gzip' });
    expect(status).toBe(200);
    expect(tenkey.provider.requests[0]).toMatchObject({ body: { messages: chat().messages } });
  });

  it.each(encodings.filter(([encoding]) => ['gzip', 'br', 'zstd'].includes(encoding)))(
    'in %s that become too large are refused as soon as they do',
    async (encoding, compress) => {
      const bomb = compress(Buffer.alloc(128 * MEBI, ' '));
      expect(bomb.length).toBeLessThan(MEBI);
      const buffered = () => process.memoryUsage().arrayBuffers;
      const before = buffered();
      let most = before;
      const watching = setInterval(() => (most = Math.max(most, buffered())), 5);
      const headers = { 'content-encoding': encoding };
      for (const path of ['/v1/chat/completions', '/api/v1/sysadmin/tenants']) {
        const started = cpuTimeMs();
        const { status, body } = await post(path, [bomb], headers);
        expect([status, body.error?.code ?? body.code]).toEqual([413, 'payload_too_large']);
        expect(cpuTimeMs() - started).toBeLessThan(2000);
        const many = await Promise.all(Array.from({ length: 10 }, () => post(path, [bomb], headers)));
        for (const each of many) expect([413, 503]).toContain(each.status);
      }
      clearInterval(watching);
      expect(most - before).toBeLessThan(64 * MEBI);
      const { status } = await post('/v1/chat/completions', [compress(whole)], headers);
      expect(status).toBe(200);
    },
  );

  it('count with their decoded size while they are in memory', async () => {
    const long = gzipSync(bytesOf(chat('x'.repeat(600_000))));
    expect(long.length).toBeLessThan(2000);
    const headers = { 'content-encoding': 'gzip' };
    tenkey.provider.next({ delayMs: 1000 });
    const first = post('/v1/chat/completions', [long], headers);
    await new Promise((done) => setTimeout(done, 300));
    expect((await post('/v1/chat/completions', [long], headers)).body.error.code).toBe('overloaded');
    expect((await first).status).toBe(200);
    // Also those that were refused have given their memory back.
    for (let index = 0; index < 5; index++)
      await post('/v1/chat/completions', [long.subarray(0, -4)], headers);
    expect((await post('/v1/chat/completions', [long], headers)).status).toBe(200);
  });
});
