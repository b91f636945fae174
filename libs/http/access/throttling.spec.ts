import { Logger } from '@nestjs/common';
import { type Problem } from '../problems/problem';
import { WrongKeyThrottle } from './throttling';

beforeAll(() => Logger.overrideLogger(false));
beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const guess = ['tk_a-guess'];
const minuteMs = 60_000;

async function fail(throttle: WrongKeyThrottle, address: string, times: number): Promise<void> {
  for (let each = 0; each < times; each += 1) await throttle.failed(address, guess);
}

/** The retry-after with which the key is refused; undefined: it is checked. */
function retryAfterOf(throttle: WrongKeyThrottle, address: string, keys = guess): number | undefined {
  try {
    throttle.check(address, () => keys);
    return undefined;
  } catch (error) {
    const { code, details } = error as Problem;
    expect(code).toBe('throttled');
    return Number(details.headers?.['retry-after']);
  }
}

describe('an address with too many wrong keys', () => {
  it('is refused for longer each time, up to 15 minutes, and from the beginning after a quiet hour', async () => {
    const throttle = new WrongKeyThrottle(20);
    const waits: unknown[] = [];
    for (let round = 0; round < 7; round += 1) {
      await fail(throttle, '192.0.2.1', 19);
      expect(retryAfterOf(throttle, '192.0.2.1')).toBeUndefined();
      await fail(throttle, '192.0.2.1', 1);
      const seconds = retryAfterOf(throttle, '192.0.2.1') ?? 0;
      waits.push(seconds);
      jest.advanceTimersByTime(seconds * 1000 - 10);
      expect(retryAfterOf(throttle, '192.0.2.1')).toBe(1);
      jest.advanceTimersByTime(10);
      expect(retryAfterOf(throttle, '192.0.2.1')).toBeUndefined();
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900]);
    jest.advanceTimersByTime(61 * minuteMs);
    await fail(throttle, '192.0.2.1', 20);
    expect(retryAfterOf(throttle, '192.0.2.1')).toBe(30);
  });

  it('is refused only if they came within a minute', async () => {
    const throttle = new WrongKeyThrottle(20);
    await fail(throttle, '192.0.2.1', 19);
    jest.advanceTimersByTime(minuteMs + 1);
    await fail(throttle, '192.0.2.1', 19);
    expect(retryAfterOf(throttle, '192.0.2.1')).toBeUndefined();
  });

  it('is a whole /64 of IPv6, and an IPv4 address however it is written', async () => {
    const throttle = new WrongKeyThrottle(20);
    for (let each = 0; each < 20; each += 1) await throttle.failed(`2001:db8:0:1::${each}`, guess);
    expect(retryAfterOf(throttle, '2001:db8:0:1:ffff::1')).toBe(30);
    expect(retryAfterOf(throttle, '2001:db8:0:2::1')).toBeUndefined();
    await fail(throttle, '::ffff:192.0.2.7', 20);
    expect(retryAfterOf(throttle, '192.0.2.7')).toBe(30);
    expect(retryAfterOf(throttle, '192.0.2.8')).toBeUndefined();
  });

  it('may go on with keys that were accepted within the last hour, from whatever address', async () => {
    const throttle = new WrongKeyThrottle(20);
    const grant = {};
    throttle.accepted(grant, 'a-known-key');
    jest.advanceTimersByTime(30 * minuteMs);
    throttle.accepted(grant, 'a-known-key');
    jest.advanceTimersByTime(59 * minuteMs);
    await fail(throttle, '192.0.2.1', 20);
    expect(retryAfterOf(throttle, '192.0.2.1', ['a-guess', 'a-known-key'])).toBeUndefined();
    expect(retryAfterOf(throttle, '192.0.2.1', [])).toBeUndefined();
    expect(retryAfterOf(throttle, '192.0.2.1')).toBe(30);
    jest.advanceTimersByTime(2 * minuteMs);
    await fail(throttle, '192.0.2.1', 20);
    expect(retryAfterOf(throttle, '192.0.2.1', ['a-known-key'])).toBe(60);
  });

  it('is not throttled by wrong keys next to an accepted one: they count for that key, each when it is tried', async () => {
    const throttle = new WrongKeyThrottle(20);
    const tried = async (prefix: string) => {
      for (let each = 0; each < 20; each += 1)
        await throttle.failedNextTo('accepted', ['accepted', '', `${prefix}${each}`]);
    };
    const refuses = (key: string, other: string) => throttle.refuses(key, [other, key]);
    throttle.accepted({}, 'accepted');
    throttle.accepted({}, 'another');
    await tried('first');
    expect(retryAfterOf(throttle, '192.0.2.1')).toBeUndefined();
    expect(refuses('second1', 'accepted')).toBe(true);
    expect(refuses('second1', 'another')).toBe(false);
    expect(refuses('another', 'accepted')).toBe(false);
    expect(refuses('accepted', 'second1')).toBe(false);
    expect(throttle.refuses('accepted', ['accepted'])).toBe(false);
    jest.advanceTimersByTime(30_000);
    expect(refuses('second1', 'accepted')).toBe(false);
    await tried('first');
    expect(refuses('second1', 'accepted')).toBe(false);
    await tried('second');
    jest.advanceTimersByTime(59_000);
    expect(refuses('third1', 'accepted')).toBe(true);
    jest.advanceTimersByTime(2000);
    expect(refuses('third1', 'accepted')).toBe(false);
  });

  it('is forgotten when 20,000 others have sent wrong keys since, so that memory is bounded', async () => {
    const throttle = new WrongKeyThrottle(20);
    await fail(throttle, '192.0.2.1', 20);
    for (let each = 0; each < 21_000; each += 1)
      await throttle.failed(`10.${each >> 16}.${(each >> 8) & 255}.${each & 255}`, guess);
    // The count of each address has a timer.
    expect(jest.getTimerCount()).toBe(20_000);
    expect(retryAfterOf(throttle, '192.0.2.1')).toBeUndefined();
  });

  it('is never refused if the limit is 0', async () => {
    const throttle = new WrongKeyThrottle(0);
    await fail(throttle, '192.0.2.1', 100);
    expect(retryAfterOf(throttle, '192.0.2.1')).toBeUndefined();
  });
});
