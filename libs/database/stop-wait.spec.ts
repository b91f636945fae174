import { waitAtStop } from './stop-wait';

test('work at a stop shares one deadline, and each piece has at least a second', async () => {
  const config = { shutdownSeconds: 1.5 };
  const waited = async (work: Promise<unknown>) => {
    const began = performance.now();
    await waitAtStop(work, config);
    return performance.now() - began;
  };
  const endless = new Promise(() => undefined);
  const first = await waited(endless);
  const others = await Promise.all([waited(endless), waited(Promise.resolve())]);
  expect(first).toBeGreaterThan(1400);
  expect(others[0]).toBeGreaterThan(900);
  expect(others[0]).toBeLessThan(1400);
  expect(others[1]).toBeLessThan(500);
});
