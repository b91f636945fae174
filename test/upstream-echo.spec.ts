import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { platformKey, startTestApp, type TestApp } from './support/app';

const key = 'sk-sentinel-echoed-by-the-provider-e5r6';

/** A provider that puts the key into every part of an HTTP response that is neither header nor body. */
function echoing(): Server {
  return createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const isStream = request.url?.startsWith('/stream/') === true;
      response.writeEarlyHints({ link: `</${key}>; rel=preload`, 'x-early': key });
      response.writeHead(200, `OK ${key}`, {
        'content-type': isStream ? 'text/event-stream' : 'application/json',
        trailer: 'x-request-id, x-ratelimit-key, server-timing',
        'server-timing': `total;desc="${key}"`,
        'set-cookie': `key=${key}`,
        'proxy-authenticate': `Basic realm="${key}"`,
      });
      response.write(isStream ? 'data: {"choices":[]}\n\n' : '{"object":"chat.completion",');
      response.write(isStream ? 'data: [DONE]\n\n' : '"choices":[]}');
      response.addTrailers({ 'x-request-id': key, 'x-ratelimit-key': key, 'server-timing': key });
      response.end();
    });
  });
}

describe('what a provider echoes outside headers and body', () => {
  let tenkey: TestApp;
  let provider: Server;
  let tenant: string;
  beforeAll(async () => {
    provider = echoing();
    await new Promise<void>((done) => provider.listen(0, '127.0.0.1', done));
    const { port } = provider.address() as AddressInfo;
    tenkey = await startTestApp({ EGRESS_ALLOW: `127.0.0.1:${port}` });
    tenant = await tenkey.createTenant();
    for (const [name, path] of [
      ['openai', 'v1'],
      ['vllm', 'stream/v1'],
    ] as const) {
      const endpoint = `http://127.0.0.1:${port}/${path}`;
      expect((await tenkey.setCredential(tenant, name, { api_key: key, endpoint })).status).toBe(200);
    }
  });
  afterAll(async () => {
    await tenkey.close();
    provider.close();
  });

  /** Every byte of the response; a client library would discard some of them. */
  function rawAnswer(model: string): Promise<string> {
    const { port } = tenkey.nest.getHttpServer().address() as AddressInfo;
    const body = JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'hello' }],
      stream: model !== 'gpt-4o',
    });
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (part) => (text += part.toString('latin1')));
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
      socket.write(
        [
          'POST /v1/chat/completions HTTP/1.1',
          'host: tenkey.test',
          'connection: close',
          'te: trailers',
          `x-api-key: ${platformKey}`,
          `x-tenant-id: ${tenant}`,
          'content-type: application/json',
          `content-length: ${body.length}`,
          '',
          body,
        ].join('\r\n'),
      );
    });
  }

  it.each([
    ['gpt-4o', '"choices":[]}'],
    ['gemma-vllm', 'data: [DONE]'],
  ])('reaches neither the client nor the log: %s', async (model, end) => {
    const answer = await rawAnswer(model);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toContain(end);
    expect(answer).not.toContain(key);
    expect(answer).not.toMatch(/^(trailer|server-timing|set-cookie|proxy-authenticate|link|x-early):/im);
    expect(tenkey.logLines.join('')).not.toContain(key);
  });
});
