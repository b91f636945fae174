import { explore, type Limits } from '../support/cache-protocol';

/** The same exploration as in libs/cache/protocol.spec.ts, with more of what can go wrong. */
it.each<[string, Partial<Limits>]>([
  ['two calls share a read', { calls: 2 }],
  ['there are two changes', { changes: 2 }],
  ['the connection is lost', { losses: 1 }],
  ['a notification is lost', { lostNotifications: 1 }],
  ['the database becomes unavailable', { unavailable: true, lostNotifications: 1 }],
])('no call uses what was before an answered change, also if %s', (_, more) => {
  const { states, answered, cached } = explore({
    ...{ calls: 1, changes: 1, losses: 0, lostNotifications: 0 },
    ...more,
  });
  process.stdout.write(
    `${states} states, ${answered} of them after an answer, ${cached} with the row cached\n`,
  );
  expect(answered).toBeGreaterThan(1000);
  expect(cached).toBeGreaterThan(500);
});
