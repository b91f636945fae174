import { Gate } from '../../test/support/gate';
import { createTestDatabase } from '../../test/support/postgres';
import { watchedClient } from './watched-client';

test('a broken connection does not keep the process alive, even when it is still used', async () => {
  const database = await createTestDatabase();
  const gate = new Gate(database.url);
  const WatchedClient = watchedClient(60_000);
  const client = new WatchedClient(await gate.listen());
  client.on('error', () => undefined);
  await client.connect();
  await client.query('select 1');
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  gate.shut();
  await expect(client.query('select 1')).rejects.toThrow();
  // A transaction sends its rollback in this way.
  await expect(client.query('rollback')).rejects.toThrow();
  expect(timers()).toBe(before);
  gate.close();
  await database.drop();
});
