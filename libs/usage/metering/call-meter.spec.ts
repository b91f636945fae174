import { ClientDisconnected, type Route } from '#egress';
import { Problem } from '#http';
import { ProviderRegistry } from '#providers';
import { CallMeter } from './call-meter';
import { type UsageRecord } from '../usage-record.entity';

const route = {
  tenantId: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10',
  provider: new ProviderRegistry().find('openai'),
  credential: { source: 'tenant', mask: '...xyz9' },
} as unknown as Route;

/** @returns the outcome and code that are recorded for a call that ends in the given way */
function recordedOf(end: (meter: CallMeter) => void) {
  const records: (UsageRecord | undefined)[] = [];
  const meter = new CallMeter({ requestId: '', clientRequestId: null, tenantKeyId: null }, (record) =>
    records.push(record),
  );
  meter.decided(route, () => 0);
  meter.responded(200);
  expect(records).toEqual([]);
  end(meter);
  meter.stopped();
  return records.map((record) => [record?.outcome, record?.code]);
}

describe('a call with a response', () => {
  it.each<[string, (meter: CallMeter) => void, [string, string | null]]>([
    ['is completed if its whole body was passed on', (meter) => meter.completed(), ['completed', null]],
    [
      'has broken off if its body fails',
      (meter) => meter.brokeOff(new Problem('upstream_timeout')),
      ['broken_off', 'upstream_timeout'],
    ],
    [
      'was left by the client if it disconnected',
      (meter) => meter.brokeOff(new ClientDisconnected()),
      ['client_left', null],
    ],
    [
      'has broken off if the process stops',
      (meter) => meter.stopped(),
      ['broken_off', 'upstream_unavailable'],
    ],
  ])('%s, and has one record', (_, end, expected) => expect(recordedOf(end)).toEqual([expected]));
});

it('a call that fails before its route is decided ends without a record', () => {
  const records: unknown[] = [];
  const meter = new CallMeter({ requestId: '', clientRequestId: null, tenantKeyId: null }, (record) =>
    records.push(record),
  );
  meter.failed(new Problem('model_not_found'));
  expect(records).toEqual([undefined]);
});

it('the overhead of a call does not include its wait for a place', () => {
  jest.useFakeTimers();
  try {
    const meter = new CallMeter({ requestId: '', clientRequestId: null, tenantKeyId: null }, () => undefined);
    jest.advanceTimersByTime(4000);
    meter.waited();
    jest.advanceTimersByTime(3);
    meter.wire.onAttempt();
    expect(meter.overheadMs).toBe(3);
  } finally {
    jest.useRealTimers();
  }
});
