import { AuditFaults } from './audit-faults';

const listOf = (...added: readonly (readonly [string, string])[]) => {
  const faults = new AuditFaults();
  for (const [seq, fault] of added) faults.add(seq, fault);
  return faults.list;
};

it('consecutive events with the same fault are one entry, and others have one each', () => {
  const fault = 'was changed';
  expect(listOf(['1', fault], ['2', fault], ['4', fault], ['5', 'is missing'], ['6', fault])).toEqual([
    { seq: '1', fault, last: '2', events: 2 },
    { seq: '4', fault },
    { seq: '5', fault: 'is missing' },
    { seq: '6', fault },
  ]);
});

it('all events of one missing key are one entry, also when those of another one are between them', () => {
  const [a, b] = ['a', 'b'].map((key) => `cannot be checked: encryption key ${key} is not loaded`);
  expect(listOf(['1', a!], ['2', b!], ['3', a!], ['9', a!], ['10', b!])).toEqual([
    { seq: '1', fault: a, last: '9', events: 3 },
    { seq: '2', fault: b, last: '10', events: 2 },
  ]);
});

it('a long chain of different faults is one entry after the first thousand', () => {
  const list = listOf(...Array.from({ length: 3000 }, (_, index) => [`${index}`, `fault ${index}`] as const));
  expect(list).toHaveLength(1001);
  expect(list.at(-1)).toEqual({
    seq: '1000',
    fault: 'further faults, which are not listed one by one',
    last: '2999',
    events: 2000,
  });
});
