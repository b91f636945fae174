import { parseAllowList } from '#config';
import { AddressPolicy } from './address-policy';

const fail = (reason: string) => {
  throw new Error(reason);
};

const policyFor = (allow = '', ownPort?: number) =>
  new AddressPolicy({
    allow: parseAllowList(allow, fail),
    ownPort: () => ownPort,
    ownAddresses: () => ['127.0.0.1', '10.1.2.3', '2a00::5'],
  });
const policy = policyFor();

describe('addresses', () => {
  test.each([
    ...[
      '0.0.0.0',
      '0.1.2.3',
      '127.0.0.1',
      '127.255.255.254',
      '169.254.1.1',
      '169.254.169.254',
      '169.254.170.2',
    ],
    ...[
      '100.100.100.200',
      '168.63.129.16',
      '192.0.0.1',
      '192.0.0.192',
      '192.0.2.1',
      '192.88.99.1',
      '198.18.0.1',
    ],
    ...[
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '239.1.1.1',
      '240.0.0.1',
      '255.255.255.255',
    ],
    ...[
      '::',
      '::1',
      'fe80::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
      'fd00:ec2::254',
      'fd20:ce::254',
      '100::1',
    ],
    ...['2001:db8::1', '2001:2::1', '2001:10::1', '3fff::1', '5f00::1', '4000::1', '64:ff9b:1::1'],
    ...['::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '::127.0.0.1', '::a9fe:a9fe', '::ffff:0:127.0.0.1'],
    ...['64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe', '2002:7f00:1::', '2002:a9fe:a9fe::1', '2002:e000:1::'],
    ...['2001:0:7f00:1::1', '2001:0:808:808:0:0:5601:5601', '2a00::5efe:a9fe:a9fe', 'fd00::200:5efe:7f00:1'],
    ...['', 'nonsense'],
  ])('%s is refused', (ip) => expect(policy.checkAddress(ip, 443)).toEqual(expect.any(String)));

  test.each([
    ...[
      '8.8.8.8',
      '1.1.1.1',
      '10.0.0.1',
      '172.16.0.1',
      '192.168.1.1',
      '100.64.0.1',
      '100.127.255.255',
      '192.0.1.1',
    ],
    ...[
      '2606:4700::1111',
      'fd12:3456::1',
      'fc00::1',
      '::ffff:8.8.8.8',
      '::ffff:10.0.0.1',
      '64:ff9b::808:808',
    ],
    ...['2002:808:808::1', '2001:4860:4860::8888'],
  ])('%s is allowed', (ip) => expect(policy.checkAddress(ip, 443)).toBeUndefined());
});

describe('hosts', () => {
  test.each([
    ...['127.0.0.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '127.1', '017700000001', '0', '0x0'],
    ...['0xa9fea9fe', '2852039166', '169.254.43518', '１２７.0.0.1', '127。0。0。1', '127.0.0.1.'],
    ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[0:0:0:0:0:ffff:a9fe:a9fe]', '[fe80::1]', '[2002:7f00:1::]'],
    ...['localhost', 'LOCALHOST', 'localhost.', 'api.localhost', 'ip6-localhost', 'localhost.localdomain'],
    ...[
      'metadata',
      'metadata.google.internal',
      'METADATA.google.internal.',
      'instance-data',
      'metadata.goog',
    ],
  ])('%s is refused', (host) =>
    expect(policy.checkHost(new URL(`http://${host}/v1`))).toEqual(expect.any(String)),
  );

  test.each([
    'api.openai.com',
    'vllm.models.svc.cluster.local',
    '10.0.0.7',
    '[fd12::1]',
    'mylocalhost',
    'vllm',
  ])('%s is allowed', (host) => expect(policy.checkHost(new URL(`https://${host}/v1`))).toBeUndefined());
});

describe('our own listener', () => {
  const own = policyFor('127.0.0.0/8:*,10.0.0.0/8:*', 3000);
  test.each(['127.0.0.1', '127.9.9.9', '10.1.2.3', '2a00::5', '::ffff:10.1.2.3', '::1', '0.0.0.0'])(
    '%s on our port is refused, even with a rule for all ports',
    (ip) => expect(own.checkAddress(ip, 3000)).toBe("Tenkey's own listener"),
  );
  it('does not include other ports and machines', () => {
    expect(own.checkAddress('10.1.2.3', 3001)).toBeUndefined();
    expect(own.checkAddress('10.1.2.4', 3000)).toBeUndefined();
    expect(policyFor('127.0.0.1:3000', 3000).checkAddress('127.0.0.1', 3000)).toBeUndefined();
  });
});

describe('exceptions', () => {
  const open = policyFor(
    '127.0.0.1:8000, 169.254.0.0/16:*,[::1]:8001,[fe80::/10]:*,Model.Internal:443,0.0.0.0/0:9',
  );

  test.each<[string, string | undefined]>([
    ['http://127.0.0.1:8000', undefined],
    ['http://localhost:8000', undefined],
    ['http://[::ffff:127.0.0.1]:8000', undefined],
    ['http://127.0.0.1:8002', 'a loopback address'],
    ['http://127.0.0.2:8000', 'a loopback address'],
    ['http://[::1]:8001', undefined],
    ['http://[::1]:8000', 'a loopback address'],
    ['http://[fe80::2]', undefined],
    ['http://169.254.1.1', undefined],
    ['http://169.254.169.254', 'a metadata address'],
    ['http://[::ffff:169.254.169.254]:9', 'a metadata address'],
    ['http://100.100.100.200:9', 'a metadata address'],
  ])('%s -> %s', (url, expected) => expect(open.checkHost(new URL(url))).toBe(expected));

  it('by name apply to that name and port, and never to metadata', () => {
    expect(open.checkAddress('127.0.0.1', 443, 'model.internal')).toBeUndefined();
    expect(open.checkAddress('127.0.0.1', 443, 'other.internal')).toBe('a loopback address');
    expect(open.checkAddress('127.0.0.1', 80, 'model.internal')).toBe('a loopback address');
    expect(open.checkAddress('169.254.169.254', 443, 'model.internal')).toBe('a metadata address');
  });
});
