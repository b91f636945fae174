import { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { type Address, isMetadataAddress, parseAllowList } from '#config';
import { AddressPolicy, faultOfTenantRules } from './address-policy';
import { type SpecialRange, specialRanges } from './special-ranges';

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

describe('special-purpose ranges', () => {
  const first = ({ range: [network, bits] }: SpecialRange) => bytesOf(network, bits, 0);
  const last = ({ range: [network, bits] }: SpecialRange) => bytesOf(network, bits, 255);
  const bytesOf = (network: Address, bits: number, fill: number) =>
    ipaddr
      .fromByteArray(
        network.toByteArray().map((byte, index) => {
          const kept = Math.min(8, Math.max(0, bits - index * 8));
          return byte | (fill & (0xff >> kept));
        }),
      )
      .toString();
  const denying = new AddressPolicy({
    allow: [],
    privateAddresses: 'deny',
    ownPort: () => undefined,
    ownAddresses: () => [],
  });

  test.each(specialRanges.filter(({ use }) => use !== 'carrier').map((each) => [each.name, each] as const))(
    '%s is refused from its first to its last address',
    (_, each) => {
      for (const ip of [first(each), last(each)]) {
        const expected = isMetadataAddress(ipaddr.parse(ip)) ? 'a metadata address' : expect.any(String);
        expect([ip, denying.checkAddress(ip, 443)]).toEqual([ip, expected]);
      }
    },
  );

  test.each([
    ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
    ...['128.0.0.0', '169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '191.255.255.255'],
    ...['192.0.1.0', '192.0.3.0', '192.31.195.255', '192.31.197.0', '192.52.192.255', '192.88.98.255'],
    ...[
      '192.167.255.255',
      '192.169.0.0',
      '192.175.47.255',
      '198.17.255.255',
      '198.20.0.0',
      '223.255.255.255',
    ],
    ...['2001:200::', '2001:db7:ffff::', '2001:db9::', '2003::', '2620:4f:7fff::', '2620:4f:8001::'],
    ...['2606:4700::1111', '3fff:1000::', '3ffe:ffff::', '2400::', '64:ff9b::808:808', '2002:808:808::1'],
  ])('%s, next to a range, is public', (ip) => expect(denying.checkAddress(ip, 443)).toBeUndefined());

  it('include every address that ipaddr.js does not take for a public one', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      // Next to the ranges, where random addresses rarely are.
      fc.constantFrom(...specialRanges).chain((each) => {
        const bytes = each.range[0].toByteArray();
        return fc
          .tuple(fc.nat(bytes.length - 1), fc.nat(255))
          .map(([index, value]) => Uint8Array.from(bytes.map((byte, at) => (at === index ? value : byte))));
      }),
    );
    fc.assert(
      fc.property(address, (bytes) => {
        const parsed = ipaddr.fromByteArray([...bytes]);
        const carriers = ['ipv4Mapped', 'rfc6145', 'rfc6052', '6to4', 'teredo'];
        if (parsed.range() === 'unicast' || carriers.includes(parsed.range())) return;
        expect([parsed.toString(), denying.checkAddress(parsed.toString(), 443)]).toEqual([
          parsed.toString(),
          expect.any(String),
        ]);
      }),
      { numRuns: 2000 },
    );
  });

  it('decide for every IPv6 address that carries one of their IPv4 addresses', () => {
    const carried = specialRanges.filter(({ range }) => range[0].kind() === 'ipv4').flatMap(first);
    for (const ip of carried) {
      const [a, b, c, d] = ipaddr
        .parse(ip)
        .toByteArray()
        .map((byte) => byte.toString(16).padStart(2, '0'));
      const inverted = ipaddr
        .fromByteArray(
          ipaddr
            .parse(ip)
            .toByteArray()
            .map((byte) => byte ^ 0xff),
        )
        .toByteArray()
        .map((byte) => byte.toString(16).padStart(2, '0'));
      const forms = [
        `::ffff:${a}${b}:${c}${d}`,
        `64:ff9b::${a}${b}:${c}${d}`,
        `2002:${a}${b}:${c}${d}::1`,
        `2001:0:${a}${b}:${c}${d}::1`,
        `2001:0:808:808::${inverted[0]}${inverted[1]}:${inverted[2]}${inverted[3]}`,
        `2a00::5efe:${a}${b}:${c}${d}`,
      ];
      for (const form of forms) {
        expect([form, denying.checkAddress(form, 443)]).toEqual([form, expect.any(String)]);
      }
    }
  });

  it('are named in the reason', () => {
    expect(denying.checkAddress('198.18.0.1', 443)).toBe('a reserved address (Benchmarking)');
    expect(denying.checkAddress('192.31.196.1', 443)).toBe('a reserved address (AS112-v4)');
    expect(denying.checkAddress('100::1', 443)).toBe('a reserved address (Discard-Only Address Block)');
  });
});

describe('EGRESS_PRIVATE=deny', () => {
  const privates = ['10.0.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fc00::1', 'fd12::1'];
  const denying = (allow = '') =>
    new AddressPolicy({
      allow: parseAllowList(allow, fail),
      privateAddresses: 'deny',
      ownPort: () => 3000,
      ownAddresses: () => ['127.0.0.1', '10.1.2.3'],
    });

  test.each([...privates, '::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::'])('refuses %s', (ip) => {
    expect(denying().checkAddress(ip, 443)).toBe('a private address');
    expect(policy.checkAddress(ip, 443)).toBeUndefined();
  });

  it('lets EGRESS_ALLOW open addresses and names for every tenant', () => {
    const open = denying('10.0.0.0/8:8000,vllm.internal:*');
    expect(open.checkAddress('10.0.0.1', 8000)).toBeUndefined();
    expect(open.checkAddress('10.0.0.1', 8001)).toBe('a private address');
    expect(open.checkAddress('192.168.1.1', 1, 'VLLM.internal.')).toBeUndefined();
    expect(open.checkAddress('192.168.1.1', 1, 'other.internal')).toBe('a private address');
  });

  it('lets the list of a tenant open private addresses to it, and nothing else', () => {
    const own = denying();
    const list = ['10.0.0.0/8:8000', 'vllm.internal:*', '127.0.0.0/8:*', '[fd12::1]:*'];
    const check = (ip: string, port: number, host?: string) => own.checkAddress(ip, port, host, list);
    expect(check('10.0.0.1', 8000)).toBeUndefined();
    expect(check('::ffff:10.0.0.1', 8000)).toBeUndefined();
    expect(check('fd12::1', 1)).toBeUndefined();
    expect(check('10.0.0.1', 8001)).toBe('a private address');
    expect(own.checkAddress('10.0.0.1', 8000)).toBe('a private address');
    expect(check('192.168.1.1', 443, 'vllm.internal')).toBeUndefined();
    expect(check('127.0.0.1', 443, 'vllm.internal')).toBe('a loopback address');
    expect(check('169.254.169.254', 443, 'vllm.internal')).toBe('a metadata address');
    expect(check('198.18.0.1', 443, 'vllm.internal')).toContain('a reserved address');
    expect(check('10.1.2.3', 8000)).toContain("Tenkey's own machine");
    expect(check('10.1.2.3', 3000)).toBe("Tenkey's own listener");
    expect(own.checkHost(new URL('http://10.0.0.1:8000'), list)).toBeUndefined();
  });
});

describe("the list of a tenant's exceptions", () => {
  test.each([[['10.0.0.0/8:*', '[fd00::]/8:443', 'vllm.internal:8000']], [[]]])('%j is valid', (list) =>
    expect(faultOfTenantRules(list)).toBeUndefined(),
  );
  test.each([
    [['127.0.0.1:8000'], 'entry 1 must be a name or a private address'],
    [['a.internal:1', '0.0.0.0/0:*'], 'entry 2 must be a name or a private address'],
    [['8.8.8.8:443'], 'entry 1 must be a name or a private address'],
    [['169.254.169.254:80'], 'must have entries of the form'],
    [['sk-pasted-into-the-wrong-field'], 'must have entries of the form'],
    [['10.0.0.1:80,127.0.0.1:80'], 'must have entries of the form'],
  ])('%j is refused without its text', (list, reason) => {
    expect(faultOfTenantRules(list)).toContain(reason);
    expect(faultOfTenantRules(list)).not.toContain('pasted');
  });
});

describe("Tenkey's own machine", () => {
  const addresses = (allow = '') =>
    new AddressPolicy({
      allow: parseAllowList(allow, fail),
      ownPort: () => 3000,
      ownAddresses: () => ['127.0.0.1', '10.1.2.3', '2a00::5', 'fe80::1%eth0', '::ffff:192.168.7.7'],
      databaseAddresses: () => ['::ffff:10.9.9.9'],
    });

  test.each(['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::a01:203', '2a00::5', '192.168.7.7', '10.9.9.9'])(
    '%s is refused on every port, whatever name leads there',
    (ip) => {
      expect(addresses().checkAddress(ip, 5432)).toContain("Tenkey's own machine or of its database");
      expect(addresses().checkAddress(ip, 8000, 'vllm.internal')).toContain("Tenkey's own machine");
    },
  );

  it('is opened by EGRESS_ALLOW', () => {
    expect(addresses('10.1.2.3:8000').checkAddress('10.1.2.3', 8000)).toBeUndefined();
    expect(addresses('10.1.2.3:8000').checkAddress('10.1.2.3', 8001)).toContain("Tenkey's own machine");
    expect(addresses('db.internal:*').checkAddress('10.9.9.9', 5432, 'db.internal')).toBeUndefined();
  });

  it('is what the interfaces of this machine say, unless another list is given', () => {
    const [own] = Object.values(networkInterfaces()).flatMap(
      (list) => list?.filter((each) => !each.internal) ?? [],
    );
    if (own === undefined) return;
    const plain = new AddressPolicy({ allow: [], ownPort: () => undefined });
    expect(plain.checkAddress(own.address, 9999)).toEqual(expect.any(String));
  });
});
