import fc from 'fast-check';
import { scanObject, scanSteps, TooDeeplyNested, TooManyParameters } from './json-members';

/** The members, sorted by name, and the number of values. */
interface Found {
  readonly members: readonly (readonly [name: string, value: unknown])[];
  readonly count: number;
}

const sorted = (members: Found['members']) => [...members].sort(([a], [b]) => (a < b ? -1 : 1));

/** What JSON.parse finds in the same bytes; undefined when they are not an object. */
function parsed(bytes: Buffer): Found | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return { members: sorted(Object.entries(value)), count: countOf(value) };
}

function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, each) => sum + countOf(each), 1);
}

function scanned(bytes: Buffer): Found | undefined {
  try {
    const { members, values } = scanObject(bytes);
    const found = members.map(
      ({ name, valueStart, valueEnd }) =>
        [name, JSON.parse(bytes.toString('utf8', valueStart, valueEnd)) as unknown] as const,
    );
    return { members: sorted(found), count: values };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const blank = fc.constantFrom('', ' ', '\n', '\t\r\n ');
const spaced = (value: unknown, b: string): string => {
  if (Array.isArray(value)) return `${b}[${value.map((each) => spaced(each, b)).join(`${b},`)}${b}]${b}`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([name, each]) => `${b}${JSON.stringify(name)}${b}:${spaced(each, b)}`,
    );
    return `${b}{${members.join(',')}${b}}${b}`;
  }
  return `${b}${JSON.stringify(value)}${b}`;
};
const name = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__proto__');
const object = fc.dictionary(name, fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });

it('finds the members and the number of values that JSON.parse finds', () => {
  fc.assert(
    fc.property(object, blank, (value, b) => {
      const bytes = Buffer.from(spaced(value, b));
      expect(scanned(bytes)).toEqual(parsed(bytes));
    }),
  );
});

it('refuses what JSON.parse refuses, wherever a byte is missing, added or changed', () => {
  const bytes = Buffer.from(
    '{"a":[1,-0.5e+3,{"b":null,"c":[]},{}],"d\\u00e9\\n":"x\\\\\\"é",\n"e":true ,"f":false,"g":0,"h":1E2}',
  );
  expect(scanned(bytes)).toEqual(parsed(bytes));
  const others = [...Buffer.from('{}[]",:\\ \t\u0001 0-+.eEtx'), 0x80, 0xff];
  for (let at = 0; at <= bytes.length; at += 1) {
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    for (const variant of [
      before,
      Buffer.concat([before, after.subarray(1)]),
      ...others.flatMap((other) => [
        Buffer.concat([before, Buffer.of(other), after]),
        Buffer.concat([before, Buffer.of(other), after.subarray(1)]),
      ]),
    ]) {
      const expected = parsed(variant);
      // Two members with one name are one for JSON.parse.
      const found = scanned(variant);
      const hasDuplicate =
        found && new Set(found.members.map(([member]) => member)).size < found.members.length;
      if (hasDuplicate) expect(expected).toBeDefined();
      else expect([variant.toString('latin1'), found]).toEqual([variant.toString('latin1'), expected]);
    }
  }
});

it.each([
  '',
  ' ',
  '{',
  '}',
  '[]',
  '1',
  'null',
  '"a"',
  '{}{}',
  '{} x',
  '\uFEFF{}',
  '{"a":1,}',
  '{,}',
  '{"a"}',
  '{"a":}',
  '{a:1}',
])('refuses %j', (text) => expect(() => scanObject(Buffer.from(text))).toThrow(SyntaxError));

it('refuses more than 128 levels, of either kind, before it has read the rest', () => {
  const lists = (depth: number) => Buffer.from(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  expect(scanObject(lists(127)).values).toBe(128);
  expect(() => scanObject(lists(128))).toThrow(TooDeeplyNested);
  const objects = Buffer.from('{"a":'.repeat(129));
  expect(() => scanObject(objects)).toThrow(TooDeeplyNested);
});

it('refuses more than 1000 members, and counts values without building them', () => {
  const members = (count: number) =>
    Buffer.from(`{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`);
  expect(scanObject(members(1000)).members).toHaveLength(1000);
  expect(() => scanObject(members(1001))).toThrow(TooManyParameters);
  const hostile = Buffer.from(`{"messages":[${'{},'.repeat(1_000_000)}{}]}`);
  const before = process.memoryUsage().heapUsed;
  expect(scanObject(hostile).values).toBe(1_000_003);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20 * 1024 * 1024);
});

it.each([1, 2, 7])('finds the same in steps of %i bytes', (stepBytes) => {
  fc.assert(
    fc.property(object, blank, (value, b) => {
      const bytes = Buffer.from(spaced(value, b));
      const steps = scanSteps(bytes, stepBytes);
      let step = steps.next();
      while (!step.done) step = steps.next();
      expect(step.value).toEqual(scanObject(bytes));
    }),
  );
});
