import { type Problem } from '#http';
import { parseSeriesRange } from './series-parameters';

const now = Date.parse('2026-11-30T12:34:56.789Z');
const hour = 60 * 60 * 1000;

const range = (query: Parameters<typeof parseSeriesRange>[0], at = now) => {
  const { since, until, times, interval } = parseSeriesRange(query, at);
  expect(times[0]).toBe(since.getTime());
  expect(times.at(-1)).toBe(until.getTime() - (interval === 'hour' ? hour : 24 * hour));
  return [since.toISOString().slice(0, 16), until.toISOString().slice(0, 16), times.length];
};

const refusal = (query: Parameters<typeof parseSeriesRange>[0]) => {
  try {
    parseSeriesRange(query, now);
  } catch (error) {
    const { code, details } = error as Problem;
    return [code, details.errors?.[0]?.path, details.errors?.[0]?.message, details.hint];
  }
  return [];
};

describe('the range of a series', () => {
  it('is by default the last 24 hours or 30 days, with the current one', () => {
    expect(range({})).toEqual(['2026-11-29T13:00', '2026-11-30T13:00', 24]);
    expect(range({ interval: 'day' })).toEqual(['2026-11-01T00:00', '2026-12-01T00:00', 30]);
    const onTheHour = Date.parse('2026-11-30T12:00:00Z');
    expect(range({}, onTheHour)).toEqual(['2026-11-29T13:00', '2026-11-30T13:00', 24]);
    expect(range({}, onTheHour - 1)).toEqual(['2026-11-29T12:00', '2026-11-30T12:00', 24]);
  });

  it('is widened to whole hours or days', () => {
    expect(range({ since: '2026-11-30T08:59:59.999Z', until: '2026-11-30T10:00:00.001Z' })).toEqual([
      '2026-11-30T08:00',
      '2026-11-30T11:00',
      3,
    ]);
    expect(range({ since: '2026-11-30T08:00:00Z', until: '2026-11-30T09:00:00Z' })).toEqual([
      '2026-11-30T08:00',
      '2026-11-30T09:00',
      1,
    ]);
    // Half past four in Kolkata is on the hour in UTC.
    expect(range({ since: '2026-11-30T04:30:00+05:30', until: '2026-11-30T06:00:00+05:30' })).toEqual([
      '2026-11-29T23:00',
      '2026-11-30T01:00',
      2,
    ]);
    expect(range({ interval: 'day', since: '2026-11-01T23:00:00Z', until: '2026-11-02T00:00:01Z' })).toEqual([
      '2026-11-01T00:00',
      '2026-11-03T00:00',
      2,
    ]);
  });

  it('has 25 hours on the day on which clocks go back, and 23 when they go forward', () => {
    const back = { since: '2026-10-25T00:00:00+02:00', until: '2026-10-26T00:00:00+01:00' };
    expect(range(back, Date.parse('2026-10-27T00:00:00Z'))[2]).toBe(25);
    const forward = { since: '2026-03-29T00:00:00+01:00', until: '2026-03-30T00:00:00+02:00' };
    expect(range(forward, Date.parse('2026-03-31T00:00:00Z'))[2]).toBe(23);
  });

  it('has at most 14 days of hours or 366 days, and one that is touched at the border', () => {
    const ago = (ms: number) => new Date(now - ms).toISOString();
    expect(range({ since: ago(14 * 24 * hour) })[2]).toBe(337);
    expect(range({ interval: 'day', since: '2026-01-01', until: '2027-01-02' })[2]).toBe(366);
    expect(range({ interval: 'day', since: '2001-01-01', until: '2001-01-02' })[2]).toBe(1);
    expect(refusal({ since: ago(14 * 24 * hour + hour) })).toEqual([
      'validation_failed',
      'since',
      'with interval=hour, since must be at most 14 days ago',
      expect.stringContaining('ask for interval=day'),
    ]);
    expect(refusal({ since: ago(hour), until: ago(-15 * 24 * hour) })).toEqual([
      'validation_failed',
      'since',
      'with interval=hour, since and until must be at most 14 days apart',
      expect.stringContaining('interval=day'),
    ]);
    expect(refusal({ interval: 'day', since: '2026-01-01', until: '2027-01-05' })).toEqual([
      'validation_failed',
      'since',
      'with interval=day, since and until must be at most 366 days apart',
      undefined,
    ]);
  });

  it('is refused when it is empty', () => {
    for (const until of ['2026-11-30T08:00:00Z', '2026-11-29']) {
      expect(refusal({ since: '2026-11-30T08:00:00Z', until })).toEqual([
        'validation_failed',
        'since',
        'since must be before until',
        undefined,
      ]);
    }
  });
});
