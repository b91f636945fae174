import { Problem } from '#http';
import { refuseTooManyValues, WholeBody } from './whole-body';

const MEBI = 1024 * 1024;

/** A body that notes what happens. */
function setUp(memory?: { take: (bytes: number) => Problem | undefined }) {
  const seen: unknown[] = [];
  const source = { resume: () => undefined, stop: () => void seen.push('stop') };
  const onFail = (error: unknown) => void seen.push(error instanceof Problem ? error.code : error);
  return { seen, body: new WholeBody(source, memory, (bytes) => void seen.push(bytes.toString()), onFail) };
}

it('holds a body until its end', () => {
  const { seen, body } = setUp();
  for (const part of ['a', '', 'bc']) expect(body.write(Buffer.from(part))).toBe(true);
  expect(seen).toEqual([]);
  body.end();
  body.fail(new Error('late'));
  expect(seen).toEqual(['abc']);
});

it('fails with what its receiver throws, once', () => {
  const failures: unknown[] = [];
  const source = { resume: () => undefined, stop: () => undefined };
  const fault = new Error('fault');
  const onBody = () => {
    throw fault;
  };
  const body = new WholeBody(source, undefined, onBody, (error) => void failures.push(error));
  body.end();
  body.fail(new Error('late'));
  expect(failures).toEqual([fault]);
});

it('fails when it is too long, and closes the connection', () => {
  const { seen, body } = setUp();
  const part = Buffer.alloc(8 * MEBI);
  for (let at = 0; at < 9; at += 1) body.write(part);
  body.end();
  expect(seen).toEqual(['stop', 'upstream_unavailable']);
});

it('takes memory for what is longer than a usual response, and fails when there is none', () => {
  let taken = 0;
  const take = (bytes: number) => {
    if (taken + bytes > MEBI) return new Problem('overloaded');
    taken += bytes;
    return undefined;
  };
  const usual = setUp({ take });
  usual.body.write(Buffer.alloc(64 * 1024));
  expect(taken).toBe(0);
  usual.body.write(Buffer.alloc(MEBI));
  expect([taken, usual.seen]).toEqual([MEBI, []]);
  usual.body.write(Buffer.alloc(1));
  usual.body.end();
  expect(usual.seen).toEqual(['stop', 'overloaded']);
});

const listOf = (unit: string, count: number) => Buffer.from(`[${unit.repeat(count)}1]`);
it.each<[string, Buffer, boolean]>([
  ['a list of many objects', listOf('{},', 1_000_001), true],
  ['many lists', listOf('[],', 1_000_001), true],
  ['very many numbers', listOf('1,', 5_000_001), true],
  ['the largest batch of embeddings', listOf(`[${'0.1234567,'.repeat(1535)}1],`, 2048), false],
  ['a long text', Buffer.from(JSON.stringify('sound'.repeat(4 * MEBI))), false],
  ['the likely tokens of a long text', listOf('{"token":"a","logprob":-1,"bytes":[1]},', 400_000), false],
])('%s is refused before it is built only if it has too many values', (_, json, isRefused) => {
  const refuse = () => refuseTooManyValues(json);
  if (isRefused) expect(refuse).toThrow(Problem);
  else expect(refuse).not.toThrow();
});
