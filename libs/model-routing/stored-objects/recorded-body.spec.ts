import { ClientDisconnected } from '#egress';
import { RecordedEvents } from './recorded-body';

/** A sink and a source that note what happens, and ids that are recorded when the test says so. */
function setUp({ isSlow = false } = {}) {
  const seen: string[] = [];
  const next = {
    write: (part: Buffer) => {
      seen.push(part.toString());
      return !isSlow;
    },
    end: () => void seen.push('end'),
    fail: (error: Error) => void seen.push(error.name),
  };
  const source = { resume: () => void seen.push('resume'), stop: () => void seen.push('stop') };
  const commits: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const events = (part: Buffer) =>
    part.includes('id')
      ? new Promise<void>((resolve, reject) => commits.push({ resolve, reject }))
      : undefined;
  const recorded = new RecordedEvents({ events }, next, source);
  const write = (text: string) => recorded.write(Buffer.from(text));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { recorded, write, seen, commits, settled };
}

it('passes on at once what makes no object', () => {
  const { write, seen } = setUp();
  expect(write('a')).toBe(true);
  expect(seen).toEqual(['a']);
});

it('passes nothing on before its id is recorded, and keeps the order', async () => {
  const { recorded, write, seen, commits, settled } = setUp();
  expect(write('id1')).toBe(false);
  expect([write('b'), write('id2'), write('c')]).toEqual([false, false, false]);
  recorded.end();
  expect(seen).toEqual([]);
  commits[0]!.resolve();
  await settled();
  // What came after it contains another id.
  expect(seen).toEqual(['id1']);
  commits[1]!.resolve();
  await settled();
  expect(seen).toEqual(['id1', 'bid2c', 'end', 'resume']);
});

it('lets a slow reader decide when the source continues', async () => {
  const { write, seen, commits, settled } = setUp({ isSlow: true });
  write('id1');
  commits[0]!.resolve();
  await settled();
  expect(seen).toEqual(['id1']);
});

it('ends the stream when an id cannot be recorded, without that event and those after it', async () => {
  const { recorded, write, seen, commits, settled } = setUp();
  write('id1');
  write('b');
  commits[0]!.reject(new TypeError());
  await settled();
  write('c');
  recorded.end();
  recorded.fail(new Error());
  expect(seen).toEqual(['stop', 'TypeError']);
});

it('passes on what came before the stream broke off, but not to a client that has left', async () => {
  const broken = setUp();
  broken.write('id1');
  broken.recorded.fail(new RangeError());
  expect(broken.seen).toEqual([]);
  broken.commits[0]!.resolve();
  await broken.settled();
  expect(broken.seen).toEqual(['id1', 'RangeError', 'resume']);

  const left = setUp();
  left.write('id1');
  left.recorded.fail(new ClientDisconnected());
  left.commits[0]!.resolve();
  await left.settled();
  expect(left.seen).toEqual(['ClientDisconnected']);
});
