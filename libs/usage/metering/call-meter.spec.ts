import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { ClientDisconnected, type Route } from '#egress';
import { Problem } from '#http';
import { findProvider } from '#providers';
import { CallMeter } from './call-meter';
import { type UsageRecord } from '../usage-record.entity';

const route = {
  tenantId: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10',
  provider: findProvider('openai'),
  credential: { source: 'tenant', mask: '...xyz9' },
} as unknown as Route;

/** @returns the outcome and code that are recorded for a call whose body ends in the given way */
async function recordedOf(end: (body: PassThrough) => unknown) {
  const records: UsageRecord[] = [];
  const meter = new CallMeter({ requestId: '', tenantKeyId: null }, (record) => records.push(record));
  meter.decided(route, () => 0);
  const body = new PassThrough();
  meter.follow(200, body);
  body.write('some of it');
  await turn();
  expect(records).toEqual([]);
  end(body);
  await turn();
  return records.map(({ outcome, code }) => [outcome, code]);
}

describe('a call with a response', () => {
  it.each<[string, (body: PassThrough) => unknown, [string, string | null]]>([
    ['is completed if its body was read to the end', (body) => body.resume().end(), ['completed', null]],
    [
      'has broken off if its body fails',
      (body) => body.destroy(new Problem('upstream_timeout')),
      ['broken_off', 'upstream_timeout'],
    ],
    [
      'was left by the client if the body is read no further',
      (body) => body.destroy(),
      ['client_left', null],
    ],
    [
      'was left by the client if it disconnected',
      (body) => body.destroy(new ClientDisconnected()),
      ['client_left', null],
    ],
  ])('%s', async (_, end, expected) => expect(await recordedOf(end)).toEqual([expected]));
});
