import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

/** One entry of EGRESS_ALLOW: a name or a range of addresses, on one port or (`undefined`) on all ports. */
export type AllowRule = (
  { readonly name: string } | { readonly range: readonly [ipaddr.IPv4 | ipaddr.IPv6, number] }
) & { readonly port: number | undefined };

/**
 * Reads `127.0.0.1:8000,10.0.0.0/8:*,[::1]:8000,host.name:443`.
 * @throws Error with the position of the faulty entry, counted from 1, without its text: it may be a key that was pasted
 *   into the wrong line
 */
export function parseAllowList(text: string): AllowRule[] {
  if (text.trim() === '') return [];
  return text.split(',').map((entry, index) => {
    const rule = parseRule(entry.trim());
    if (typeof rule !== 'string') return rule;
    throw new Error(`EGRESS_ALLOW: entry ${index + 1} ${rule}`);
  });
}

export interface AddressPolicyOptions {
  readonly allow: readonly AllowRule[];
  /** The port that Tenkey listens on; undefined until it does. */
  readonly ownPort: () => number | undefined;
  /** This machine's addresses. They are read at each check, because interfaces can appear and disappear. */
  readonly ownAddresses?: () => readonly string[];
}

/**
 * Decides which addresses a tenant's endpoint may have. Private ranges and CGNAT are allowed, because a model server in the
 * same cluster is the normal case. Addresses that lead to this machine, its link or its cloud host are refused, and so is
 * every IPv6 address outside 2000::/3 and fc00::/7.
 */
export class AddressPolicy {
  readonly #options: AddressPolicyOptions;

  constructor(options: AddressPolicyOptions) {
    this.#options = options;
  }

  /**
   * Checks what needs no name resolution: literal addresses, `localhost` and known metadata names. The URL class has
   * already converted decimal, octal, hexadecimal and shortened spellings to the usual one.
   * @returns why the host is refused ("a loopback address"), or undefined
   */
  checkHost(url: URL): string | undefined {
    const host = nameOf(url.hostname);
    const port = portOf(url);
    if (ipaddr.isValid(host)) return this.checkAddress(host, port);
    if (metadataNames.has(host)) return METADATA;
    if (!isLocalName(host) || this.#allowsName(host, port)) return undefined;
    // A rule for 127.0.0.1:8000 covers localhost:8000 too. The address of the connection is checked again.
    return this.checkAddress('127.0.0.1', port) && this.checkAddress('::1', port);
  }

  /**
   * Checks an address before a connection to it is opened.
   * @param host the name that resolved to it, for rules by name
   * @returns why the address is refused, or undefined
   */
  checkAddress(ip: string, port: number, host?: string): string | undefined {
    const bare = ip.split('%')[0] ?? '';
    if (!ipaddr.isValid(bare)) return 'not an IP address';
    const address = ipaddr.process(bare);
    const reason = reasonAgainst(address);
    if (reason === METADATA) return METADATA;
    // A rule for all ports does not cover our own port: a call to ourselves would be a loop.
    if (this.#isOwnListener(address, port, reason)) {
      return this.#allows(address, port, host, true) ? undefined : "Tenkey's own listener";
    }
    return reason !== undefined && this.#allows(address, port, host, false) ? undefined : reason;
  }

  #isOwnListener(address: Address, port: number, reason: string | undefined): boolean {
    if (port !== this.#options.ownPort()) return false;
    if (reason === LOOPBACK || reason === UNSPECIFIED) return true;
    const ownAddresses = (this.#options.ownAddresses ?? interfaceAddresses)();
    const all = [address, ...embeddedIn(address)].map((each) => each.toString());
    return ownAddresses.some((each) => all.includes(ipaddr.process(each.split('%')[0] ?? '').toString()));
  }

  #allows(address: Address, port: number, host: string | undefined, portNamed: boolean): boolean {
    if (host !== undefined && this.#allowsName(nameOf(host), port, portNamed)) return true;
    return this.#options.allow.some(
      (rule) => 'range' in rule && opensPort(rule, port, portNamed) && within(address, rule.range),
    );
  }

  #allowsName(host: string, port: number, portNamed = false): boolean {
    return this.#options.allow.some(
      (rule) => 'name' in rule && rule.name === host && opensPort(rule, port, portNamed),
    );
  }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const METADATA = 'a metadata address';
const LOOPBACK = 'a loopback address';
const UNSPECIFIED = 'an unspecified address';
const LINK_LOCAL = 'a link-local address';
const MULTICAST = 'a multicast address';
const RESERVED = 'a reserved address';

/** These names give access to a machine's identity and credentials, on any cloud. No rule can allow them. */
const metadataNames = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'metadata.azure.internal',
  'metadata.azure.com',
  'metadata.tencentyun.com',
  'metadata.platformequinix.com',
  'metadata.packet.net',
  'metadata.oraclecloud.com',
  'instance-data',
  'instance-data.ec2.internal',
  'instance-data.compute.internal',
]);

const metadataRanges = ranges(METADATA, [
  '169.254.169.253/32', // AWS, name server
  '169.254.169.254/32', // AWS, Google, Azure, OpenStack and others
  '169.254.170.2/32', // AWS ECS, task credentials
  '169.254.170.23/32', // AWS EKS, pod identity
  '169.254.0.23/32', // Tencent
  '169.254.42.42/32', // Scaleway
  '100.100.100.200/32', // Alibaba
  '168.63.129.16/32', // Azure, host agent
  '192.0.0.192/32', // Oracle
  'fd00:ec2::254/128', // AWS
  'fd00:ec2::253/128',
  'fd00:ec2::23/128', // AWS EKS, pod identity
  'fd20:ce::254/128', // Google
  'fd00:42::42/128', // Scaleway
]);

/** From the IANA IPv4 and IPv6 Special-Purpose Address Registries. The first range that contains an address decides. */
const refusedRanges = [
  ...ranges(UNSPECIFIED, ['0.0.0.0/8', '::/128']),
  ...ranges(LOOPBACK, ['127.0.0.0/8', '::1/128']),
  ...ranges(LINK_LOCAL, ['169.254.0.0/16', 'fe80::/10']),
  ...ranges(MULTICAST, ['224.0.0.0/4', 'ff00::/8']),
  ...ranges('the broadcast address', ['255.255.255.255/32']),
  ...ranges(RESERVED, ['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24']),
  ...ranges(RESERVED, ['203.0.113.0/24', '240.0.0.0/4']),
  ...ranges(RESERVED, ['2001:db8::/32', '3fff::/20', '64:ff9b:1::/48']),
];

const mayCarryIPv4 = ranges('', ['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '2001::/32']);
const ietfAssignments = ranges(RESERVED, ['2001::/23']);
const unicast = ranges('', ['2000::/3', 'fc00::/7']);

/** @returns why no tenant may use the address, or undefined */
function reasonAgainst(address: Address): string | undefined {
  const embedded = embeddedIn(address);
  if ([address, ...embedded].some((each) => find(each, metadataRanges) !== undefined)) return METADATA;
  const ownReason = find(address, refusedRanges);
  if (ownReason !== undefined || address.kind() === 'ipv4') return ownReason;
  // The packet is sent to the embedded IPv4 address, so that address decides.
  for (const each of embedded) {
    const reason = find(each, refusedRanges);
    if (reason !== undefined) return reason;
  }
  if (find(address, mayCarryIPv4) !== undefined) return undefined;
  return find(address, ietfAssignments) ?? (find(address, unicast) === undefined ? RESERVED : undefined);
}

/** Every IPv4 address that an IPv6 address may carry, by the transition mechanisms that match its bits. */
function embeddedIn(address: Address): ipaddr.IPv4[] {
  if (address.kind() === 'ipv4') return [];
  const bytes = address.toByteArray();
  const at = (start: number) => new ipaddr.IPv4(bytes.slice(start, start + 4));
  const begins = (...prefix: number[]) => prefix.every((byte, index) => bytes[index] === byte);
  const isAnchor = address.toString() === '::' || address.toString() === '::1';
  const embedded: ipaddr.IPv4[] = [];
  // 6to4 (RFC 3056)
  if (begins(0x20, 0x02)) embedded.push(at(2));
  // Teredo (RFC 4380): the server, and the client with its bits inverted
  if (begins(0x20, 0x01, 0, 0)) {
    embedded.push(at(4), new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff)));
  }
  // Local-use NAT64 (RFC 8215) in the /48 and the /96 layout of RFC 6052
  if (begins(0, 0x64, 0xff, 0x9b, 0, 1)) {
    embedded.push(new ipaddr.IPv4([bytes[6]!, bytes[7]!, bytes[9]!, bytes[10]!]), at(12));
  }
  // Mapped, translated, compatible (RFC 4291, RFC 2765) and NAT64 (RFC 6052)
  if (!isAnchor && find(address, mayCarryIPv4) !== undefined && !begins(0x20, 0x01)) embedded.push(at(12));
  // ISATAP (RFC 5214)
  if ((bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe)
    embedded.push(at(12));
  return embedded;
}

function ranges(reason: string, texts: string[]): { reason: string; range: [Address, number] }[] {
  return texts.map((text) => ({ reason, range: ipaddr.parseCIDR(text) }));
}

function find(
  address: Address,
  list: readonly { reason: string; range: [Address, number] }[],
): string | undefined {
  return list.find(({ range }) => within(address, range))?.reason;
}

function within(address: Address, [network, bits]: readonly [Address, number]): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}

function opensPort(rule: AllowRule, port: number, portNamed: boolean): boolean {
  return rule.port === port || (rule.port === undefined && !portNamed);
}

function isLocalName(host: string): boolean {
  return /(^|\.)localhost$|^localhost\.localdomain$|^ip6-(localhost|loopback)$/.test(host);
}

/** The name in lower case, without the brackets of an IPv6 literal and the final dot of a fully qualified name. */
function nameOf(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.+$/, '');
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

/** @returns the rule, or a text that says what is wrong with the entry */
function parseRule(entry: string): AllowRule | string {
  const form =
    'must be address:port, address/bits:port, [IPv6 address]:port or name:port, where port may be *';
  const match = /^(?:\[([^\]]+)\](\/\d+)?|([^:[\]\s]+)):(\*|\d{1,5})$/.exec(entry);
  if (match === null) return form;
  const host = (match[1] === undefined ? match[3]! : match[1] + (match[2] ?? '')).toLowerCase();
  const port = match[4] === '*' ? undefined : Number(match[4]);
  if (port !== undefined && (port < 1 || port > 65_535)) return 'has a port outside 1 to 65535';
  const [text = '', bits, more] = host.split('/');
  const isIPv6 = match[1] !== undefined;
  if (isIPv6 ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text)) {
    const address = ipaddr.parse(text);
    const size = isIPv6 ? 128 : 32;
    const length = bits === undefined ? size : /^\d+$/.test(bits) ? Number(bits) : NaN;
    if (more !== undefined || !(length <= size)) return `has a prefix length outside 0 to ${size}`;
    if (length === size && reasonAgainst(address) === METADATA)
      return 'is a metadata address, which is never allowed';
    return { range: [address, length], port };
  }
  const name = nameOf(host);
  if (metadataNames.has(name)) return 'is a metadata name, which is never allowed';
  // A name whose last label is a number is a misspelt address: the URL class would read it as an address.
  if (isIPv6 || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name) || /(^|\.)(\d+|0x[0-9a-f]*)$/.test(name))
    return form;
  return { name, port };
}
