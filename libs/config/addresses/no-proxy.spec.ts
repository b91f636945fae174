import { isExempt, parseNoProxy } from './no-proxy';

const direct = (list: string, host: string, port = 443) => isExempt(parseNoProxy(list).rules, host, port);

test.each([
  ['model.example', 'model.example'],
  ['model.example', 'a.b.model.example'],
  ['.model.example', 'a.model.example'],
  ['*.model.example', 'a.model.example'],
  ['MODEL.example.', 'model.example'],
  ['other.example, model.example', 'model.example'],
  ['other.example model.example', 'model.example'],
  ['model.example:443', 'model.example'],
  ['10.1.2.3', '10.1.2.3'],
  ['10.1.2.3', '::ffff:10.1.2.3'],
  ['10.0.0.0/8', '10.1.2.3'],
  ['10.0.0.0/8:443', '10.1.2.3'],
  ['fd00::1', 'fd00::1'],
  ['fd00::/8', 'fd12::1'],
  ['[fd00::1]:443', 'fd00::1'],
  ['[fd00::/8]:443', 'fd00::1'],
  ['svc', 'model.svc'],
  ['*', 'model.example'],
  ['*', '10.1.2.3'],
])('NO_PROXY=%s holds for %s', (list, host) => {
  expect(direct(list, host)).toBe(true);
});

test.each([
  ['', 'model.example'],
  ['model.example', 'another-model.example'],
  ['model.example', 'model.example.org'],
  ['model.example:8000', 'model.example'],
  ['10.1.2.3', '10.1.2.30'],
  ['10.0.0.0/8', '11.0.0.1'],
  ['10.0.0.0/8', 'model.example'],
  ['[fd00::1]:8000', 'fd00::1'],
  ['fd00::/8', '10.0.0.1'],
])('NO_PROXY=%s does not hold for %s', (list, host) => {
  expect(direct(list, host)).toBe(false);
});

test('an entry without a meaning is reported by its position', () => {
  expect(parseNoProxy('a.example,192.168.*,10.0.0.0/99,https://b.example,,[::1').unknown).toEqual([
    2, 3, 4, 5,
  ]);
});
