import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { Secret } from '#crypto';
import { type Problem } from '#http';
import {
  body,
  egressToProvider,
  KEY,
  problemOf,
  responseOf,
  routeTo,
  usual,
} from '../../test/support/egress';
import { until } from '../../test/support/until';
import { type EgressService } from './egress.service';
import { type Route } from './route';

const { server, service, send } = egressToProvider();
const fast = { ...usual, firstByteMs: 150 };
const other = '6f0c2f3e-0d7b-4a43-9a57-000000000002';

const servers: Server[] = [];
async function listening(server: Server): Promise<string> {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
/** Accepts connections and never answers. */
const silent = () => listening(createServer((socket) => void socket.resume().on('error', () => undefined)));
const refusing = async () => {
  const closed = createServer();
  const url = await listening(closed);
  await new Promise((done) => closed.close(done));
  return url;
};

const breaking = (retries = 0) => service('127.0.0.1:*', fast, retries, 0, undefined, 3);
const of = (route: Route, tenantId: string): Route => ({
  ...route,
  tenantId,
  credential: { ...route.credential, tenantId },
});

async function codesOf(egress: EgressService, route: Route, count: number): Promise<string[]> {
  const codes: string[] = [];
  for (let each = 0; each < count; each += 1) {
    codes.push(
      await send(route, body, egress).then(
        () => 'success',
        (error: unknown) => (error as Problem).code,
      ),
    );
  }
  return codes;
}

let shiftMs = 0;
beforeAll(() => Logger.overrideLogger(false));
beforeEach(() => {
  shiftMs = 0;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + shiftMs);
});
afterEach(() => jest.restoreAllMocks());
afterAll(() => servers.forEach((each) => each.close()));

describe('the calls of a tenant to a host', () => {
  it.each([
    ['refuses connections', refusing, 'upstream_unavailable', 'it refused the connection'],
    ['never answers', silent, 'upstream_timeout', 'did not respond in time'],
  ] as const)('are paused when it %s several times in a row', async (_, hostOf, code, reason) => {
    const egress = breaking();
    const route = routeTo(await hostOf());
    expect(await codesOf(egress, route, 3)).toEqual([code, code, code]);
    const open = jest.fn(() => new Secret(KEY));
    const problem = await problemOf(
      send({ ...route, credential: { ...route.credential, open } }, body, egress),
    );
    expect(problem).toMatchObject({
      code: 'circuit_open',
      status: 503,
      message: expect.stringContaining(reason),
    });
    expect(problem.details.headers).toEqual({ 'retry-after': '5' });
    expect(open).not.toHaveBeenCalled();
    const metrics = await egress.registry.metrics();
    expect(metrics).toContain('tenkey_circuits_opened_total{provider="openai"} 1');
    expect(metrics).toContain('tenkey_circuit_refusals_total{provider="openai"} 1');
  });

  it('are paused for this tenant, provider and host alone', async () => {
    const egress = breaking();
    const route = routeTo(await refusing());
    expect(await codesOf(egress, route, 4)).toContain('circuit_open');
    expect(await codesOf(egress, of(route, other), 1)).toEqual(['upstream_unavailable']);
    const provider = { ...route.provider, id: 'another' };
    const credential = { ...route.credential, provider };
    expect(await codesOf(egress, { ...route, provider, credential }, 1)).toEqual(['upstream_unavailable']);
    expect(await codesOf(egress, routeTo(server.url), 1)).toEqual(['success']);
  });

  it('are tried once every five seconds, and go on after any response', async () => {
    const egress = breaking();
    const url = await refusing();
    const route = routeTo(url);
    expect(await codesOf(egress, route, 4)).toEqual([
      ...Array(3).fill('upstream_unavailable'),
      'circuit_open',
    ]);
    shiftMs += 5000;
    expect(await codesOf(egress, route, 2)).toEqual(['upstream_unavailable', 'circuit_open']);
    shiftMs += 5000;
    const back = createServer((socket) =>
      socket.once('data', () =>
        socket.end('HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
      ),
    );
    servers.push(back);
    await once(back.listen(Number(new URL(url).port), '127.0.0.1'), 'listening');
    expect(await codesOf(egress, route, 5)).toEqual(Array(5).fill('upstream_unavailable'));
  });

  it('are not paused when one event breaks many calls, which counts as one failure', async () => {
    const egress = breaking();
    const sockets: Socket[] = [];
    const route = routeTo(await listening(createServer((socket) => void sockets.push(socket.resume()))));
    const breakAtOnce = async (count: number) => {
      const calls = Array.from({ length: count }, () => codesOf(egress, route, 1));
      await until(() => sockets.length === count, 'all calls');
      for (const socket of sockets.splice(0)) socket.resetAndDestroy();
      return (await Promise.all(calls)).flat();
    };
    expect(await breakAtOnce(16)).toEqual(Array(16).fill('upstream_unavailable'));
    expect(await breakAtOnce(1)).toEqual(['upstream_unavailable']);
    expect(await breakAtOnce(2)).toEqual(Array(2).fill('upstream_unavailable'));
    expect(await codesOf(egress, route, 1)).toEqual(['circuit_open']);
  });

  it('are paused when the host is silent for the whole timeout of several calls, also at the same time', async () => {
    const egress = breaking();
    const route = routeTo(await silent());
    const codes = await Promise.all([1, 2, 3].map(() => codesOf(egress, route, 1)));
    expect(codes.flat()).toEqual(Array(3).fill('upstream_timeout'));
    expect(await codesOf(egress, route, 1)).toEqual(['circuit_open']);
  });

  it('are not paused by failures with more than a minute between them, and not longer than a minute without calls', async () => {
    const egress = breaking();
    const route = routeTo(await refusing());
    for (let each = 0; each < 3; each += 1) {
      expect(await codesOf(egress, route, 2)).toEqual(Array(2).fill('upstream_unavailable'));
      shiftMs += 61_000;
    }
    expect((await codesOf(egress, route, 4)).at(-1)).toBe('circuit_open');
    shiftMs += 66_000;
    expect(await codesOf(egress, route, 3)).toEqual(Array(3).fill('upstream_unavailable'));
    expect(await codesOf(egress, route, 1)).toEqual(['circuit_open']);
  });

  it('are tried again while the trial before is not over, because a timeout may take minutes', async () => {
    const egress = service('127.0.0.1:*', usual, 0, 0, undefined, 3);
    const url = await refusing();
    await codesOf(egress, routeTo(url), 3);
    let connections = 0;
    const hanging = createServer((socket) => {
      connections += 1;
      socket.resume().on('error', () => undefined);
    });
    servers.push(hanging);
    await once(hanging.listen(Number(new URL(url).port), '127.0.0.1'), 'listening');
    const client = new AbortController();
    const trials = [5000, 5000].map((ms) => {
      shiftMs += ms;
      return problemOf(
        responseOf(
          egress,
          routeTo(url),
          { contentType: 'application/json', content: [Buffer.from(body)] },
          client,
        ),
      ).catch(() => undefined);
    });
    await until(() => connections === 2, 'both trials');
    client.abort();
    await Promise.all(trials);
  });

  it('go on after answers of any status, and a response begins the count again', async () => {
    const egress = breaking();
    for (const status of [500, 503, 429, 401, 400]) server.next({ status });
    expect(await codesOf(egress, routeTo(server.url), 6)).toEqual([
      'upstream_unavailable',
      'upstream_unavailable',
      'upstream_rate_limited',
      'credential_rejected',
      'upstream_rejected_request',
      'success',
    ]);
    for (let round = 0; round < 2; round += 1) {
      for (let each = 0; each < 2; each += 1) server.next({ delayMs: 3000 });
      expect(await codesOf(egress, routeTo(server.url), 3)).toEqual([
        'upstream_timeout',
        'upstream_timeout',
        'success',
      ]);
    }
  });

  it('are not paused by clients that leave', async () => {
    const egress = breaking();
    for (let each = 0; each < 4; each += 1) {
      server.next({ delayMs: 10_000 });
      const client = new AbortController();
      const left = send(routeTo(server.url), body, egress, client.signal).catch(() => undefined);
      await until(() => server.calls.begun === each + 1, 'the call');
      client.abort();
      await left;
    }
    expect(await codesOf(egress, routeTo(server.url), 1)).toEqual(['success']);
  });

  it('are not retried once they are paused', async () => {
    const egress = breaking(5);
    const started = performance.now();
    expect(await codesOf(egress, routeTo(await refusing()), 2)).toEqual([
      'upstream_unavailable',
      'circuit_open',
    ]);
    // Two waits of 250 and 500 ms at most, and not those of three further retries.
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
