import { explore, type Limits, type World } from '../../test/support/cache-protocol';
import { momentOf } from './lease';
import { type Fill, type LeasedStore } from './leased-store';

const limits: Limits = { calls: 1, changes: 1, losses: 0, lostNotifications: 0 };

it('no call uses what was before an answered change, in whatever order things happen', () => {
  const { states, answered, cached } = explore(limits);
  expect(states).toBeGreaterThan(10_000);
  expect(answered).toBeGreaterThan(1000);
  expect(cached).toBeGreaterThan(500);
});

/** Each plants one fault, which the exploration must find. */
it.each<[string, Partial<Limits>, (world: World) => void]>([
  [
    'the lease counts from the arrival of a renewal',
    {},
    ({ lease, clock }) => {
      const extend = lease.extend.bind(lease);
      lease.extend = () => extend(momentOf(clock));
    },
  ],
  [
    'a read that was running during a change is kept',
    {},
    ({ store }) => {
      const drop = store.drop.bind(store);
      store.drop = (changed) => {
        const fills = [...fillsOf(store)];
        const before = fills.map(({ isStale }) => isStale);
        drop(changed);
        fills.forEach((fill, index) => (fill.isStale = before[index]!));
      };
    },
  ],
  [
    'a new connection does not drop what is cached',
    { losses: 1 },
    ({ membership, store }) => {
      const connected = membership.connected.bind(membership);
      const drop = store.drop.bind(store);
      membership.connected = () => {
        store.drop = () => undefined;
        connected();
        store.drop = drop;
      };
    },
  ],
  [
    'a process is given up before its lease has expired',
    {},
    ({ observations }) => {
      const observe = observations.observe.bind(observations);
      observations.observe = (processes, sent, received) => observe(processes, sent + 2, received);
    },
  ],
  [
    'a call joins a read that began before a change',
    { calls: 2 },
    ({ store }) => {
      store.joinableFill = () => [...fillsOf(store)][0];
    },
  ],
  [
    'the lease is extended although a change was missed',
    { lostNotifications: 1, unavailable: true },
    ({ membership, lease }) => {
      const renewed = membership.renewed.bind(membership);
      membership.renewed = (number, confirmed, sent) => {
        renewed(number, confirmed, sent);
        lease.extend(sent);
      };
    },
  ],
])('finds the fault if %s', (_, changed, plant) => {
  expect(() => explore({ ...limits, ...changed, plant })).toThrow('was answered before it');
});

function fillsOf(store: LeasedStore): Set<Fill> {
  return (store as unknown as { fills: Set<Fill> }).fills;
}
