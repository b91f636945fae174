import { SignalCancellation } from '#egress';
import { type Problem } from '#http';
import { CallQueueService } from './call-queue.service';

const never = () => new SignalCancellation(new AbortController().signal);

/** A queue whose calls note when they get their place. */
function queueOf(maxCallsInFlight: number, maxCallsPerTenant: number, callWaitSeconds = 5) {
  const queue = new CallQueueService({ maxCallsInFlight, maxCallsPerTenant, callWaitSeconds });
  const admitted: string[] = [];
  const call = (tenant: string, cancellation = never()): Promise<unknown> | undefined => {
    const waiting = queue.enter(tenant, cancellation);
    if (waiting === undefined) {
      admitted.push(tenant);
      return undefined;
    }
    return waiting.then(
      () => void admitted.push(tenant),
      (error: unknown) => error,
    );
  };
  const leave = async (tenant: string) => {
    queue.leave(tenant);
    await Promise.resolve();
  };
  const gauge = async (name: string) =>
    Number(new RegExp(`^${name} ([\\d.]+)$`, 'm').exec(await queue.registry.metrics())?.[1]);
  return { call, leave, admitted, gauge };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('a call', () => {
  it('does not wait while its tenant and the process have room', async () => {
    const { call, leave, admitted, gauge } = queueOf(3, 2);
    expect([call('a'), call('a'), call('b')]).toEqual([undefined, undefined, undefined]);
    expect(admitted).toEqual(['a', 'a', 'b']);
    expect([await gauge('tenkey_calls_running'), await gauge('tenkey_calls_waiting')]).toEqual([3, 0]);
    for (const tenant of admitted) await leave(tenant);
    expect(await gauge('tenkey_calls_running')).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('waits for calls of its own tenant, while others go on', async () => {
    const { call, leave, admitted } = queueOf(10, 2);
    for (const tenant of ['a', 'a', 'a', 'b']) void call(tenant);
    expect(admitted).toEqual(['a', 'a', 'b']);
    await leave('b');
    expect(admitted).toEqual(['a', 'a', 'b']);
    await leave('a');
    expect(admitted).toEqual(['a', 'a', 'b', 'a']);
  });

  it('waits for its turn when the process has no room: the tenants take turns, each in the order of its calls', async () => {
    const { call, leave, admitted, gauge } = queueOf(2, 2);
    for (const tenant of ['a', 'a']) void call(tenant);
    for (const tenant of ['b', 'b', 'c']) void call(tenant);
    expect(() => call('b')).toThrow('As many calls are running');
    expect(await gauge('tenkey_calls_waiting')).toBe(3);
    await leave('a');
    await leave('a');
    expect(admitted.splice(0)).toEqual(['a', 'a', 'b', 'c']);
    void call('d');
    await leave('b');
    expect(admitted).toEqual(['b']);
    await leave('c');
    expect(admitted).toEqual(['b', 'd']);
  });

  it('is skipped while its tenant has no room', async () => {
    const { call, leave, admitted } = queueOf(3, 2);
    for (const tenant of ['a', 'a', 'a', 'b', 'b']) void call(tenant);
    expect(admitted.splice(0)).toEqual(['a', 'a', 'b']);
    await leave('b');
    expect(admitted).toEqual(['b']);
    await leave('a');
    expect(admitted).toEqual(['b', 'a']);
  });

  it('is refused after its wait, by the limit that is reached', async () => {
    const { call, leave, admitted, gauge } = queueOf(3, 2);
    for (const tenant of ['a', 'a', 'b']) void call(tenant);
    const [ofTenant, ofProcess] = [call('a'), call('c')];
    await jest.advanceTimersByTimeAsync(4999);
    await leave('b');
    expect(admitted).toEqual(['a', 'a', 'b', 'c']);
    void call('c');
    await jest.advanceTimersByTimeAsync(1);
    expect(await ofProcess).toBeUndefined();
    expect(await ofTenant).toMatchObject({
      code: 'too_many_calls',
      status: 429,
      details: { headers: { 'retry-after': '5' }, hint: expect.stringContaining('MAX_CALLS_PER_TENANT') },
    });
    const late = call('d') as Promise<Problem>;
    await jest.advanceTimersByTimeAsync(5000);
    expect(await late).toMatchObject({ code: 'overloaded', status: 503 });
    expect(jest.getTimerCount()).toBe(0);
    // The call that got its place after 4.999 s, and three that were refused.
    expect(await gauge('tenkey_call_wait_seconds_count')).toBe(4);
    // What has been refused takes no place when one is free.
    await leave('a');
    expect(call('d')).toBeUndefined();
  });

  it('is refused at once if calls do not wait, or as many wait as may run', () => {
    const none = queueOf(10, 1, 0);
    void none.call('a');
    expect(() => none.call('a')).toThrow('This tenant may run 1 calls');
    const some = queueOf(10, 1);
    for (const tenant of ['a', 'a']) void some.call(tenant);
    expect(() => some.call('a')).toThrow('This tenant may run 1 calls');
  });

  it('leaves the queue when its client does', async () => {
    const { call, leave, admitted, gauge } = queueOf(1, 1);
    void call('a');
    const client = new AbortController();
    const gone = call('a', new SignalCancellation(client.signal));
    client.abort();
    expect(await gone).toMatchObject({ name: 'ClientDisconnected' });
    expect(await gauge('tenkey_calls_waiting')).toBe(0);
    void call('a');
    await leave('a');
    expect(admitted).toEqual(['a', 'a']);
    expect(jest.getTimerCount()).toBe(0);
  });
});
