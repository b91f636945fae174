import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { type Route } from '#egress';
import { Problem } from '#http';
import { findProvider } from '#providers';
import { CallMeter } from './call-meter';
import { type UsageRecord } from './usage-record.entity';

const route = {
  tenantId: '0b9d4a0e-6c1b-4d59-9f0e-3b8c2f1f7a10',
  provider: findProvider('openai'),
  credential: { source: 'tenant', mask: '...xyz9' },
} as unknown as Route;

describe('a call whose answer is passed through a second body', () => {
  const passed = () => {
    const records: UsageRecord[] = [];
    const meter = new CallMeter({ requestId: '', keyId: null }, (record) => records.push(record));
    meter.decided(route, () => 0);
    const [first, last] = [new PassThrough(), new PassThrough()];
    meter.follow(200, first);
    meter.follow(200, last);
    first.resume().end('all of it');
    return { meter, last, outcomes: () => records.map(({ outcome, code }) => [outcome, code]) };
  };

  it('has not ended before that one did', async () => {
    const { last, outcomes } = passed();
    await turn();
    expect(outcomes()).toEqual([]);
    last.resume().end();
    await turn();
    expect(outcomes()).toEqual([['completed', null]]);
  });

  it('has broken off when a fault was found on the way', async () => {
    const { meter, last, outcomes } = passed();
    await turn();
    meter.faulted(new Problem('upstream_unavailable'));
    last.resume().end();
    await turn();
    expect(outcomes()).toEqual([['broken_off', 'upstream_unavailable']]);
  });

  it('was left by a client that left before it had all', async () => {
    const { last, outcomes } = passed();
    await turn();
    last.destroy();
    await turn();
    expect(outcomes()).toEqual([['client_left', null]]);
  });
});
