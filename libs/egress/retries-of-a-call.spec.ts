import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { Secret } from '#crypto';
import {
  body,
  egressToProvider,
  KEY,
  problemOf,
  responseOf,
  routeTo,
  stream,
  textOf,
  usual,
} from '../../test/support/egress';
import { ClientDisconnected } from './cancellation';

const { server, egress, service, send } = egressToProvider();

describe('a retry', () => {
  const persistent = () => service('127.0.0.1:*', usual, 2, 3000);
  const refusing = async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    return port;
  };

  test('follows a 503 with the same key, which is opened once', async () => {
    server.next({ status: 503 });
    server.next({ status: 503, headers: { 'retry-after': '0' } });
    const route = routeTo(server.url);
    const open = jest.fn(() => new Secret(KEY));
    const answer = await send({ ...route, credential: { ...route.credential, open } }, body, persistent());
    expect(await textOf(answer.body)).toContain('echo: hello');
    expect(server.requests.map(({ key, rawBody }) => [key, rawBody])).toEqual(Array(3).fill([KEY, body]));
    expect(open).toHaveBeenCalledTimes(1);
  });

  test('happens no more often than the setting says, and not when the provider asks for a long wait', async () => {
    for (let each = 0; each < 3; each++) server.next({ status: 503 });
    expect((await problemOf(send(routeTo(server.url), body, persistent()))).code).toBe(
      'upstream_unavailable',
    );
    expect(server.requests).toHaveLength(3);
    server.reset();
    server.next({ status: 503, headers: { 'retry-after': '30' } });
    const problem = await problemOf(send(routeTo(server.url), body, persistent()));
    expect(problem.details.headers?.['retry-after']).toBe('30');
    expect(server.requests).toHaveLength(1);
  });

  test.each([500, 502, 504, 529, 408, 409, 400, 401])('never follows a status %i', async (status) => {
    server.next({ status });
    await problemOf(send(routeTo(server.url), body, persistent()));
    expect(server.requests).toHaveLength(1);
  });

  test('follows a 429 only within the budget', async () => {
    server.next({ status: 429, headers: { 'retry-after': '1' } });
    const answer = await send(routeTo(server.url), body, persistent());
    answer.body.destroy();
    expect(server.requests).toHaveLength(2);
    server.reset();
    server.next({ status: 429, headers: { 'retry-after': '2' } });
    server.next({ status: 429, headers: { 'retry-after': '2' } });
    const problem = await problemOf(send(routeTo(server.url), body, persistent()));
    expect([problem.code, problem.details.headers?.['retry-after']]).toEqual(['upstream_rate_limited', '2']);
    expect(server.requests).toHaveLength(2);
    server.reset();
    server.next({ status: 429, headers: { 'retry-after': '0' } });
    expect((await problemOf(send(routeTo(server.url), body, egress()))).code).toBe('upstream_rate_limited');
    expect(server.requests).toHaveLength(1);
  });

  test('follows a 429 with `Retry-After: 0` only after growing waits', async () => {
    for (let count = 0; count < 50; count++) server.next({ status: 429, headers: { 'retry-after': '0' } });
    const patient = service(`127.0.0.1:${server.port}`, usual, 0, 1000);
    expect((await problemOf(send(routeTo(server.url), body, patient))).code).toBe('upstream_rate_limited');
    expect(server.requests.length).toBeGreaterThan(1);
    expect(server.requests.length).toBeLessThan(6);
  });

  test('follows a refused connection, but not one that broke', async () => {
    const port = await refusing();
    const late = setTimeout(() => listener.listen(port, '127.0.0.1'), 60);
    const listener = createServer((_request, response) => response.end('{}'));
    const answer = await send(routeTo(`http://127.0.0.1:${port}`), body, persistent());
    expect(answer.status).toBe(200);
    answer.body.destroy();
    clearTimeout(late);
    listener.closeAllConnections();
    listener.close();

    let connections = 0;
    const breaking = createServer((request) => {
      connections += 1;
      request.socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(breaking, 'listening');
    const broken = routeTo(`http://127.0.0.1:${(breaking.address() as AddressInfo).port}`);
    expect((await problemOf(send(broken, body, persistent()))).code).toBe('upstream_unavailable');
    expect(connections).toBe(1);
    breaking.close();
  });

  test('never follows the first byte of a response', async () => {
    server.next({ breakAfterChunks: 1 });
    const answer = await send(routeTo(server.url), stream, persistent());
    expect((await problemOf(textOf(answer.body))).code).toBe('upstream_unavailable');
    expect(server.requests).toHaveLength(1);
  });

  test('never happens for a streamed body, which cannot be read twice', async () => {
    server.next({ status: 503 });
    const content = Readable.from([Buffer.from(body)]);
    const call = responseOf(
      persistent(),
      routeTo(server.url),
      { contentType: 'application/json', content },
      { signal: new AbortController().signal },
    );
    expect((await problemOf(call)).code).toBe('upstream_unavailable');
    expect(server.requests.map(({ rawBody }) => rawBody)).toEqual([body]);
  });

  test('does not happen after the caller has disconnected', async () => {
    const leaving = new AbortController();
    server.next({ status: 429, headers: { 'retry-after': '3' } });
    const call = send(routeTo(server.url), body, persistent(), leaving.signal);
    setTimeout(() => leaving.abort(), 300);
    await expect(call).rejects.toBeInstanceOf(ClientDisconnected);
    expect(server.requests).toHaveLength(1);
  });
});
