import { rm } from 'node:fs/promises';

export default async function globalTeardown(): Promise<void> {
  const running = globalThis.tenkeyTestServer;
  if (running === undefined) return;
  await running.server.stop();
  await rm(running.directory, { recursive: true, force: true });
  await rm(running.server.socketDirectory, { recursive: true, force: true });
}
