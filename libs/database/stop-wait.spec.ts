import { waitAtStop } from './stop-wait';

test('what waits at a stop has one time together, and a second each', async () => {
  const config = { shutdownSeconds: 1.5 };
  const waited = async (work: Promise<unknown>) => {
    const began = performance.now();
    await waitAtStop(work, config);
    return performance.now() - began;
  };
  const forEver = new Promise(() => undefined);
  const first = await waited(forEver);
  const others = await Promise.all([waited(forEver), waited(Promise.resolve())]);
  expect(first).toBeGreaterThan(1400);
  expect(others[0]).toBeGreaterThan(900);
  expect(others[0]).toBeLessThan(1400);
  expect(others[1]).toBeLessThan(500);
});
