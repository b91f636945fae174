import { AuditFaults, countAuditFaults } from './audit-faults';

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
  expect([list.length, countAuditFaults(list)]).toEqual([1001, 3000]);
  expect(list.at(-1)).toEqual({
    seq: '1000',
    fault: 'further faults, which are not listed one by one',
    last: '2999',
    events: 2000,
  });
});

it('what concerns the whole chain, and a key that is missing, are listed after any number of other faults', () => {
  const faults = new AuditFaults();
  for (let seq = 1; seq <= 2000; seq += 1) faults.add(`${seq}`, `fault ${seq}`);
  faults.add('2001', 'cannot be checked: encryption key a is not loaded');
  faults.addOfChain('22', 'the given head is not in the chain');
  expect(faults.list.slice(-3)).toEqual([
    { seq: '2001', fault: 'cannot be checked: encryption key a is not loaded' },
    { seq: '22', fault: 'the given head is not in the chain' },
    { seq: '1001', fault: 'further faults, which are not listed one by one', last: '2000', events: 1000 },
  ]);
});
