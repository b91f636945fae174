import { createServer } from 'node:net';
import { describeLeakSearch, sentinelModels } from './support/leak-search';
import { formsOf, sentinels } from './support/sentinels';

describeLeakSearch('secrets never leak', ({ tenkey, put, chat, azureFields }) => {
  let closedPort: number;
  beforeAll(async () => {
    closedPort = await new Promise<number>((done) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        server.close(() => done(port));
      });
    });
    await put('openai', { api_key: sentinels.openai });
    await put('anthropic', { api_key: sentinels.anthropic });
    await put('azure', azureFields());
    await put('vllm', { api_key: sentinels.vllm, endpoint: tenkey.provider.url });
  });

  it('when a provider refuses and repeats the key in any spelling', async () => {
    for (const [name, model] of sentinelModels) {
      const key = sentinels[name];
      tenkey.provider.rejectKey(key);
      const rejected = await chat(model);
      expect([name, rejected.status, rejected.code]).toEqual([name, 424, 'credential_rejected']);
      expect(rejected.text).toContain(JSON.stringify(key.slice(-4)).slice(1, -1));
      tenkey.provider.reset();
      const own = [sentinels.super, sentinels.platform, sentinels.encryption];
      const repeated = [key, ...own].flatMap((secret) => [
        ...formsOf(secret).map(([, form]) => form),
        `"${secret}"`,
      ]);
      const pieces = [
        repeated.join(' | '),
        `Basic ${Buffer.from(`user:${key}`).toString('base64')}`,
        JSON.stringify({ headers: { authorization: `Bearer ${key}` } }),
        `https://user:${encodeURIComponent(key)}@llm.example.com/?key=${encodeURIComponent(key)}`,
      ];
      // The reading of the body stops in the middle of the key.
      tenkey.provider.next({ status: 400, body: 'x'.repeat(64 * 1024 - 12) + key });
      expect((await chat(model)).code).toBe('upstream_rejected_request');
      for (const status of [400, 401, 403, 404, 413, 422, 429, 500, 302]) {
        for (const piece of pieces) {
          const bodies: unknown[] = [piece, { error: { message: piece } }];
          if (status === 400) {
            bodies.push({ message: piece }, { detail: piece }, { error: piece }, [piece]);
            bodies.push(`<html>${piece}</html>`, JSON.stringify(piece));
          }
          for (const body of bodies) {
            tenkey.provider.next({
              status,
              body,
              headers: {
                'retry-after': encodeURIComponent(key),
                location: `/?key=${encodeURIComponent(key)}`,
              },
              echoRequestHeaders: true,
            });
            const answer = await chat(model);
            expect(answer.status).toBeGreaterThanOrEqual(400);
            expect(answer.code).toBeDefined();
          }
        }
      }
    }
  }, 60_000);

  it('when a provider echoes the request’s headers, breaks off, or sends nonsense', async () => {
    for (const [name, model] of sentinelModels) {
      const key = sentinels[name];
      tenkey.provider.next({ echoRequestHeaders: true });
      expect([name, (await chat(model)).status]).toEqual([name, 200]);
      tenkey.provider.next({ status: 200, body: key, headers: { 'content-type': encodeURIComponent(key) } });
      if (name === 'anthropic') expect((await chat(model)).code).toBe('upstream_unavailable');
      else tenkey.provider.reset();
      for (const body of ['', `{"content":[${key}`, [key], { content: key }, { type: key, content: 1 }]) {
        if (name !== 'anthropic') continue;
        tenkey.provider.next({ status: 200, body });
        expect((await chat(model)).code).toBe('upstream_unavailable');
      }
      for (const breakAfterChunks of [0, 1, 3]) {
        tenkey.provider.next({ breakAfterChunks, echoRequestHeaders: true });
        const broken = await chat(model, { stream: true });
        expect(broken.text).toContain('upstream_unavailable');
      }
      tenkey.provider.next({ chunks: ['data: {"a'], breakAfterChunks: 1 });
      expect((await chat(model, { stream: true })).text).toContain('upstream_unavailable');
      tenkey.provider.next({ chunks: ['{"half":'], breakAfterChunks: 1 });
      await chat(model);
    }
  });

  it('when the endpoint cannot be reached', async () => {
    for (const host of [`127.0.0.1:${closedPort}`, 'no-such-host.invalid', '[::1]:9']) {
      const set = await put('vllm', { api_key: sentinels.vllm, endpoint: `http://${host}` });
      expect([200, 422]).toContain(set.status);
      if (set.status !== 200) continue;
      const answer = await chat('gemma-vllm');
      expect(answer.code).toBe('upstream_unavailable');
    }
    await put('vllm', { api_key: sentinels.vllm, endpoint: tenkey.provider.url });
  });
});
