import { parseAllowList } from './allow-list';

const fail = (reason: string) => {
  throw new Error(reason);
};

describe('EGRESS_ALLOW', () => {
  it('is empty without an entry', () => expect(parseAllowList('  ', fail)).toEqual([]));

  test.each([
    ...[
      '127.0.0.1',
      'sk-secret',
      '127.0.0.1:',
      '127.0.0.1:0',
      '127.0.0.1:65536',
      '10.0.0.0/33:*',
      '10.0.0.0/:*',
    ],
    ...[
      '10.0.0.0/8/8:*',
      '::1:8000',
      '[::1',
      '[::1]',
      '[name]:80',
      '10.0.0.0.1:80',
      '127.1:80',
      'a b:80',
      '',
    ],
    ...['http://host:80', '169.254.169.254:80', 'metadata.google.internal:80'],
  ])('%s is refused, naming only the position', (entry) => {
    const faults: string[] = [];
    parseAllowList(`10.0.0.1:80,${entry}`, (reason) => faults.push(reason));
    expect(faults).toEqual([expect.stringMatching(/^entry 2 (must|has|is) (?!.*secret)/)]);
  });

  it('reports every faulty entry', () => {
    const faults: string[] = [];
    parseAllowList('10.0.0.1,10.0.0.1:80,10.0.0.1:0', (reason) => faults.push(reason));
    expect(faults.map((fault) => fault.slice(0, 8))).toEqual(['entry 1 ', 'entry 3 ']);
  });
});
