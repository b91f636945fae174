import { Lease } from './lease';
import { LeasedStore } from './leased-store';

const tenant = 'a';

function storeOf(maximumBytes = 1e6) {
  const clock = { now: 0, monotonic: () => clock.now, wall: () => clock.now };
  const lease = new Lease(100_000, clock);
  lease.extend({ monotonic: 0, wall: 0 });
  const store = new LeasedStore(lease, () => clock.now, maximumBytes);
  store.startKeeping();
  const read = (key: string, value: unknown, tenantId: string | undefined = tenant, bytes = 100) =>
    store.read(key, tenantId, () => Promise.resolve({ value, tenantId, bytes }));
  return { clock, lease, store, read };
}

it('an entry is read again after a minute, but not while nothing new can be kept', async () => {
  const { clock, store, read } = storeOf();
  await read('key', 1);
  clock.now = 60_001;
  store.stopKeeping();
  expect(store.get('key')?.value).toBe(1);
  store.startKeeping();
  expect(store.get('key')).toBeUndefined();
});

it.each([
  ['the monotonic clock', { monotonic: () => 100_000, wall: () => 0 }],
  ['the wall clock', { monotonic: () => 0, wall: () => 100_000 }],
])('a lease has expired as soon as %s says so, and nothing is used then', (_, clock) => {
  const lease = new Lease(100_000, clock);
  lease.extend({ monotonic: 0, wall: 0 });
  expect(lease.isValid).toBe(false);
});

it('a wall clock that is set back does not make a lease last longer', () => {
  const lease = new Lease(5000, { monotonic: () => 5000, wall: () => -3_600_000 });
  lease.extend({ monotonic: 0, wall: 0 });
  expect(lease.isValid).toBe(false);
});

it('a change drops the entries of its tenants and those of no tenant, and keeps the others', async () => {
  const { store, read } = storeOf();
  await read('of a', 1);
  await read('of b', 2, 'b');
  await read('of none', null, undefined);
  store.drop(['a']);
  expect(['of a', 'of b', 'of none'].map((key) => store.get(key)?.value)).toEqual([undefined, 2, undefined]);
});

it('memory is bounded, and the entry that was used least recently goes first', async () => {
  const { store, read } = storeOf(10_000);
  for (let index = 0; index < 1000; index += 1) {
    await read(`key ${index}`, index, `tenant ${index}`);
    store.get('key 0');
  }
  expect(store.bytes).toBeLessThanOrEqual(10_000);
  expect(store.size).toBeLessThan(20);
  expect(store.get('key 0')?.value).toBe(0);
  // The index of the tenants does not grow either.
  expect((store as unknown as { keysOf: Map<string, unknown> }).keysOf.size).toBe(store.size);
});

it('calls that need the same row at the same time share one read, and a failed read is not kept', async () => {
  const { store } = storeOf();
  let reads = 0;
  const load = () => {
    reads += 1;
    return reads === 1
      ? Promise.reject(new Error('unavailable'))
      : Promise.resolve({ value: reads, tenantId: tenant, bytes: 1 });
  };
  const results = await Promise.allSettled([
    store.read('key', tenant, load),
    store.read('key', tenant, load),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await Promise.all([store.read('key', tenant, load), store.read('key', tenant, load)])).toEqual([
    2, 2,
  ]);
  expect(reads).toBe(2);
});

it('without a valid lease each call reads for itself', async () => {
  const { clock, store, read } = storeOf();
  await read('key', 1);
  clock.now = 100_000;
  expect(store.get('key')).toBeUndefined();
  let reads = 0;
  const load = () => Promise.resolve({ value: (reads += 1), tenantId: tenant, bytes: 1 });
  await Promise.all([store.read('key', tenant, load), store.read('key', tenant, load)]);
  expect(reads).toBe(2);
});
