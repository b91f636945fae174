import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describeWithApp, platformKey } from './support/app';
import { until } from './support/until';

const MEBI = 1024 * 1024;
const boundary = 'a-boundary';
const part = (head: string, value = '') =>
  `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}`;
const model = `${part('name="model"', 'whisper')}\r\n`;
const end = `--${boundary}--\r\n`;

/** The bytes of buffers that are in use. A collection frees the bytes of buffers a moment later. */
async function buffered(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Buffers that are freed leave the count only in a later collection, so that one equal pair proves nothing.
  for (let [before, equal] = [Infinity, 0]; ;) {
    collect();
    await new Promise((done) => setTimeout(done, 100));
    const { arrayBuffers } = process.memoryUsage();
    equal = Math.abs(before - arrayBuffers) < MEBI ? equal + 1 : 0;
    if (equal === 3) return arrayBuffers;
    before = arrayBuffers;
  }
}

describeWithApp('a form with a sound', { LOG_LEVEL: 'info' }, (tenkey) => {
  let tenant: string;
  beforeAll(async () => {
    tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-a-speaker' });
  });
  beforeEach(() => tenkey.provider.reset());

  function start(path = 'audio/transcriptions', more = {}): ClientRequest {
    const { port } = tenkey.nest.getHttpServer().address() as AddressInfo;
    return request({
      port,
      host: '127.0.0.1',
      path: `/v1/${path}`,
      method: 'POST',
      headers: {
        'x-api-key': platformKey,
        'x-tenant-id': tenant,
        'content-type': `multipart/form-data; boundary=${boundary}`,
        ...more,
      },
    });
  }

  async function resultOf(asked: ClientRequest): Promise<{ status: number | undefined; body: any }> {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    for await (const each of response) text += String(each);
    return { status: response.statusCode, body: JSON.parse(text) };
  }

  function send(form: string | Buffer, path?: string) {
    const asked = start(path);
    asked.end(form);
    return resultOf(asked);
  }

  it.each([
    ['', 'application/octet-stream'],
    ['\r\nContent-Type: text/plain', 'application/octet-stream'],
    ['\r\nContent-Type: audio/wav', 'audio/wav'],
    ['\r\nContent-Type: audio/webm; codecs=opus', 'audio/webm'],
  ])('whose part has the header %j is sent on as %s', async (header, type) => {
    const sound = `${part(`name="file"; filename="a.wav"${header}`, 'sound')}\r\n`;
    for (const form of [model + sound, sound + model]) {
      tenkey.provider.reset();
      expect((await send(form + end)).status).toBe(200);
      expect(tenkey.provider.requests[0]!.form).toEqual({
        model: 'whisper-1',
        file: { name: 'a.wav', type, size: 5 },
      });
    }
  });

  const sound = Buffer.from([0x52, 0x49, 0x46, 0x46, 0xff, 0xfb, 0x90, 0x00, 0x0d, 0x0a, 0x80]);
  it.each([
    ['without a filename', 'name="file"', 'file'],
    ['without a filename and with a type', 'name="file"\r\nContent-Type: audio/wav', 'file'],
    ['with an empty filename', 'name="file"; filename=""\r\nContent-Type: audio/wav', 'file'],
    ['of any name without a filename', 'name="q7zk"\r\nContent-Type: audio/wav', null],
    ['of bytes without a filename', 'name="q7zk"\r\nContent-Type: application/octet-stream', null],
  ])('%s is refused, and its bytes are not damaged on their way', async (_, head, param) => {
    const file = Buffer.concat([Buffer.from(part(head)), sound, Buffer.from('\r\n')]);
    for (const parts of [
      [file, Buffer.from(model)],
      [Buffer.from(model), file],
    ]) {
      const { status, body } = await send(Buffer.concat([...parts, Buffer.from(end)]));
      expect([status, body.error.code, body.error.param]).toEqual([422, 'validation_failed', param]);
      expect(body.error.message).toContain('without a filename. Write `filename="..."`');
      expect(JSON.stringify(body)).not.toContain('q7zk');
    }
    expect(tenkey.provider.requests.filter(({ form }) => form !== undefined)).toEqual([]);
  });

  it('may have fields of other types, which are passed on', async () => {
    const field = `${part('name="chunking_strategy"\r\nContent-Type: application/json', '{"type":"server_vad"}')}\r\n`;
    const file = `${part('name="file"; filename="å.wav"', 'sound')}\r\n`;
    expect((await send(field + file + model + end)).status).toBe(200);
    expect(tenkey.provider.requests[0]!.form).toMatchObject({ file: { name: 'å.wav', size: 5 } });
    expect(tenkey.provider.requests[0]!.rawBody).toContain('{"type":"server_vad"}');
  });

  it.each([
    ['empty files', part('name="f"; filename="x"')],
    ['parts that are nothing', `--${boundary}\r\nX: y\r\n\r\n`],
  ])('is refused without delay when it has a hundred thousand %s', async (_, each) => {
    const form = `${each}\r\n`.repeat(100_000);
    const started = performance.now();
    const { status, body } = await send(form + model + end);
    expect([status, body.error.code]).toEqual([400, 'malformed_request']);
    // All of them would take minutes.
    expect(performance.now() - started).toBeLessThan(3000);
    expect(tenkey.provider.calls.begun).toBe(0);
  });

  it('may name its model after 30 MB: it is held once until the provider takes it, and arrives whole', async () => {
    const bytes = 30 * MEBI;
    const piece = Buffer.alloc(64 * 1024, 'a');
    let take = () => undefined as void;
    tenkey.provider.next({ readAfter: new Promise<void>((resolve) => (take = resolve)) });
    const before = await buffered();
    const asked = start();
    asked.write(part('name="file"; filename="a.wav"\r\nContent-Type: audio/wav'));
    for (let sent = 0; sent < bytes; sent += piece.length) {
      if (!asked.write(piece)) await once(asked, 'drain');
    }
    asked.end(`\r\n${model}${end}`);
    await until(() => tenkey.provider.calls.begun === 1, 'the call to reach the provider');
    await new Promise((done) => setTimeout(done, 300));
    const held = (await buffered()) - before;
    process.stdout.write(`held of a 30 MiB file: ${(held / MEBI).toFixed(1)} MiB\n`);
    expect(held).toBeGreaterThan(15 * MEBI);
    expect(held).toBeLessThan(36 * MEBI);
    take();
    expect((await resultOf(asked)).status).toBe(200);
    expect(tenkey.provider.requests[0]!.form).toEqual({
      model: 'whisper-1',
      file: { name: 'a.wav', type: 'audio/wav', size: bytes },
    });
  });
});

const small = { MAX_BODY_BYTES: String(4 * MEBI), MAX_BUFFERED_BYTES: String(4 * MEBI) };
describeWithApp('the memory for forms', small, (tenkey) => {
  it('is that of the bodies of calls: a form that does not fit is refused, and the next one is accepted', async () => {
    const tenant = await tenkey.createTenant();
    await tenkey.setCredential(tenant, 'openai', { api_key: 'sk-key-of-a-speaker' });
    const { port } = tenkey.nest.getHttpServer().address() as AddressInfo;
    const form = `${part('name="file"; filename="a.wav"', 'a'.repeat(3 * MEBI))}\r\n${model}${end}`;
    const call = async (isChunked: boolean) => {
      const response = await fetch(`http://127.0.0.1:${port}/v1/audio/transcriptions`, {
        method: 'POST',
        headers: {
          'x-api-key': platformKey,
          'x-tenant-id': tenant,
          'content-type': `multipart/form-data; boundary=${boundary}`,
        },
        body: isChunked ? new Blob([form]).stream() : form,
        duplex: 'half',
      });
      const body = (await response.json()) as { error?: { code: string } };
      return [response.status, body.error?.code];
    };
    for (const isChunked of [false, true]) {
      tenkey.provider.reset();
      tenkey.provider.next({ delayMs: 1000 });
      const first = call(isChunked);
      await until(() => tenkey.provider.requests.length === 1, 'the first call');
      expect(await call(isChunked)).toEqual([503, 'overloaded']);
      expect(await first).toEqual([200, undefined]);
      expect(await call(isChunked)).toEqual([200, undefined]);
    }
  });
});
