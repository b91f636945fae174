import { InFlight } from './in-flight';

it('holds what was added and not deleted, whatever the order', () => {
  const inFlight = new InFlight();
  const expected = new Set<{ place: number }>();
  let state = 1;
  for (let step = 0; step < 10_000; step += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (expected.size === 0 || state % 2 === 0) {
      const each = { place: -1 };
      inFlight.add(each);
      expected.add(each);
    } else {
      const each = [...expected][state % expected.size]!;
      inFlight.delete(each);
      inFlight.delete(each);
      expected.delete(each);
    }
    expect(inFlight.size).toBe(expected.size);
  }
  expect(new Set(inFlight.all)).toEqual(expected);
  expect(inFlight.all.map(({ place }) => place)).toEqual(inFlight.all.map((_, index) => index));
});
