import { startTestApp } from './app';
import { Gate } from './gate';
import { createTestDatabase } from './postgres';

/** An application whose database is behind a gate. `env` overrides its settings. */
export async function startGatedApp(env: Parameters<typeof startTestApp>[0] = {}) {
  const database = await createTestDatabase();
  const gate = new Gate(database.url);
  const tenkey = await startTestApp(env, { databaseUrl: await gate.listen() });
  const close = async () => {
    await tenkey.close();
    gate.close();
    await database.drop();
  };
  return { tenkey, gate, database, close };
}
