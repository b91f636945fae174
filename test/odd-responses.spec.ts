import { brotliCompressSync, deflateRawSync, gzipSync } from 'node:zlib';
import { describeWithApp, platformKey } from './support/app';
import { cpuTimeMs } from './support/cpu-time';
import { type NextAnswer } from './support/provider-server';
import { usageRecords } from './support/usage';

const models = `
completion_models:
  - { name: gpt, litellm_model_name: openai/gpt-4o }
speech_models:
  - { name: speech, litellm_model_name: openai/gpt-4o-mini-tts }
transcription_models:
  - { name: whisper, litellm_model_name: openai/whisper-1 }
`;
const key = 'sk-sentinel-of-odd-responses-o7d3';
const messages = [{ role: 'user', content: 'hello' }];
const json = { 'content-type': 'application/json' };
const data = (value: unknown) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
const delta = (content: string, finish_reason: string | null = null, index = 0) =>
  data({ choices: [{ index, delta: { content }, finish_reason }] });

/** Errors whose members have a type that no documentation names. */
const odd = [
  '{"error":{"message":"x","code":{"toString":1}}}',
  '{"error":{"message":"x","type":{"toString":1}}}',
  '{"error":{"message":"x","param":[{"toString":1}]}}',
  '{"error":{"message":"x","type":"constructor"}}',
  '{"error":{"a":1},"detail":[{"loc":[{"toString":1},"field"],"msg":"m"}]}',
  `{"error":{"a":1},"detail":[{"loc":${'['.repeat(20_000)}${']'.repeat(20_000)},"msg":"m"}]}`,
];

describeWithApp(
  'a response that no documentation describes',
  { UPSTREAM_RETRIES: '0', UPSTREAM_TIMEOUTS: 'idle=2' },
  { models },
  (tenkey) => {
    let tenant: string;
    beforeEach(async () => {
      tenkey.provider.reset();
      tenant = await tenkey.createTenant();
      await tenkey.setCredential(tenant, 'openai', { api_key: key });
    });

    const post = (path: string, body: object) => tenkey.call(tenant, path, body);
    const chat = (answer: NextAnswer, fields: object = {}) => {
      tenkey.provider.next(answer);
      return post('chat/completions', { model: 'gpt', messages, ...fields });
    };
    const stream = (chunks: string[], chunkDelayMs = 5) => chat({ chunks, chunkDelayMs }, { stream: true });

    it.each(odd)('is an error of the provider, however it arrives: %.60s', async (body) => {
      for (const compress of [undefined, gzipSync]) {
        const headers = { ...json, ...(compress && { 'content-encoding': 'gzip' }) };
        const whole = await chat({ body: compress?.(body) ?? body, headers });
        expect([whole.status, whole.body.error.tenkey_code]).toEqual([502, 'upstream_unavailable']);
      }
      expect((await chat({ status: 400, body, headers: json })).status).toBe(400);
      expect((await stream([`data: ${body}\n\n`])).status).toBe(502);
      for (const end of ['\n\n', '']) {
        const { text } = await stream([delta('hej'), `data: ${body}${end}`]);
        expect(text.startsWith(delta('hej'))).toBe(true);
        expect(text).toContain('"tenkey_code":"upstream_unavailable"');
      }
      await usageRecords(tenkey, 6, `&tenant_id=${tenant}`);
    });

    it.each([
      ['empty lines', '\n'.repeat(200_000)],
      ['blank lines', ' \n'.repeat(200_000)],
      ['blanks after a name', `data: {"error"${' '.repeat(400_000)}\n\n`],
    ])('does not keep the process busy with %s', async (_, text) => {
      const start = cpuTimeMs();
      const response = await stream([delta('hej', 'stop'), text, data('[DONE]')]);
      expect(response.text).toContain('[DONE]');
      expect(cpuTimeMs() - start).toBeLessThan(3000);
    });

    it.each([
      ['samples that look like a page', Buffer.from('0000010020003c0050005c00', 'hex')],
      ['silence', Buffer.alloc(4000)],
    ])('is a success for sound of %s', async (_, sound) => {
      for (const type of ['audio/pcm', 'application/octet-stream']) {
        tenkey.provider.next({ body: sound, headers: { 'content-type': type } });
        const response = await post('audio/speech', { model: 'speech', input: 'hej', voice: 'alloy' })
          .buffer(true)
          .parse((res, done) => {
            const parts: Buffer[] = [];
            res.on('data', (part: Buffer) => parts.push(part));
            res.on('end', () => done(null, Buffer.concat(parts)));
          });
        expect([response.status, (response.body as Buffer).equals(sound)]).toEqual([200, true]);
      }
    });

    it.each(['[]', '""', 'false', '{}', 'null'])('is a success when its error is %s', async (empty) => {
      const result = { result: { a: 1 }, success: true, messages: [] };
      for (const name of ['error', 'errors']) {
        const body = JSON.stringify(result).replace('{', `{"${name}":${empty},`);
        expect((await chat({ body, headers: json })).text).toBe(body);
        const event = delta('hej', 'stop').replace('{', `{"${name}":${empty},`);
        const nested = delta('hej').replace('"index"', `"error":${empty},"index"`);
        const text = nested + event + data('[DONE]');
        expect((await stream([nested, event, data('[DONE]')])).text).toBe(text);
      }
    });

    it.each([
      ['a page in place of a transcript', '<!doctype html>Sign in', 'text/html', 502],
      ['an error as a text', '{"error":{"message":"x","code":429}}', 'text/plain', 429],
      [
        'an error after a byte order mark',
        '\uFEFF{"error":{"message":"x","code":429}}',
        'application/json',
        429,
      ],
      ['FastAPI’s error', '{"detail":"Not Found"}', 'application/json', 502],
    ])('is an error when it is %s', async (title, body, type, status) => {
      const answer = { body, headers: { 'content-type': type } };
      if (!title.includes('transcript')) return expect((await chat(answer)).status).toBe(status);
      tenkey.provider.next(answer);
      const response = await tenkey
        .http()
        .post('/v1/audio/transcriptions')
        .set({ 'x-api-key': platformKey, 'x-tenant-id': tenant })
        .field('model', 'whisper')
        .attach('file', Buffer.from('sound'), 'a.mp3');
      expect(response.status).toBe(status);
    });

    it.each(['\n', '\n\n', ': bye\n\n', '\r\n'])(
      'ends with [DONE] when %j follows and the provider stays open',
      async (tail) => {
        const text = `${delta('hej', 'stop')}data: [DONE]\n\n${tail}`;
        const start = Date.now();
        const flow = { type: 'text/event-stream', parts: [Buffer.from(text)], isEndless: true };
        const response = await chat({ flow }, { stream: true });
        expect(response.text.startsWith(`${delta('hej', 'stop')}data: [DONE]\n\n`)).toBe(true);
        expect(response.text).not.toContain('error');
        expect(Date.now() - start).toBeLessThan(1500);
      },
    );

    it.each([
      ['in the middle of the last event', 'data: [DONE]\n', true],
      ['after the reason for the end', '', true],
      ['in the middle of the usage', 'data: {"choices":[],"usa', true],
      ['before the end', undefined, false],
    ])('that falls silent %s', async (_, tail, isComplete) => {
      const parts = [Buffer.from(delta('hej', tail === undefined ? null : 'stop') + (tail ?? ''))];
      const flow = { type: 'text/event-stream', parts, isEndless: true };
      const { text } = await chat({ flow }, { stream: true });
      expect(text.includes('"error"')).toBe(!isComplete);
      for (const event of text.trim().split('\n\n')) expect(event).toMatch(/^data: (\[DONE\]|\{.*\})$/);
      const [record] = await usageRecords(tenkey, 1, `&tenant_id=${tenant}`);
      expect(record!.outcome).toBe(isComplete ? 'completed' : 'broken_off');
    });

    it.each([
      ['of which one is cut', [delta('a', 'stop', 0), delta('b', null, 1)], false],
      ['that are all complete', [delta('a', 'stop', 0), delta('b', 'length', 1)], true],
      ['with an empty reason', [delta('a', '', 0)], false],
      ['that are followed by comments', [delta('a', 'stop'), ...Array<string>(20).fill(': wait\n\n')], true],
    ])('has choices %s', async (_, chunks, isComplete) => {
      const { text } = await stream(chunks);
      expect(text.includes('"error"')).toBe(!isComplete);
    });

    it('may be compressed without the header of zlib', async () => {
      const body = '{"choices":[{"message":{"content":"hej"}}]}';
      const ways = [
        ['deflate', deflateRawSync],
        ['br', brotliCompressSync],
      ] as const;
      for (const [encoding, compress] of ways) {
        const response = await chat({
          body: compress(body),
          headers: { ...json, 'content-encoding': encoding },
        });
        expect([response.status, response.text]).toEqual([200, body]);
      }
    });

    it('that repeats parts of the key without end is masked, and blocks no other call', async () => {
      const part = '%41\\u0042+sentinel%2541\\\\u0043 ';
      const body = `{"choices":[{"message":{"content":"${part.repeat(150_000)}"}}]}`;
      const start = cpuTimeMs();
      const response = await chat({ body, headers: json });
      expect(Buffer.byteLength(response.text)).toBe(body.length);
      expect(cpuTimeMs() - start).toBeLessThan(5000);
    });
  },
);
