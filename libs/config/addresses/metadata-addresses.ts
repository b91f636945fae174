import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type AddressRange = readonly [network: Address, bits: number];

/** True for an address that gives away a machine's credentials on some cloud; no setting ever allows one. */
export function isMetadataAddress(address: Address): boolean {
  return [address, ...embeddedIPv4(address)].some((each) => isInSome(each, metadataRanges));
}

/** @param name as `plainHost` returns it */
export function isMetadataName(name: string): boolean {
  return metadataNames.has(name);
}

/**
 * True for a name of this machine.
 * @param name as `plainHost` returns it
 */
export function isLocalName(name: string): boolean {
  return /(^|\.)localhost$|^localhost\.localdomain$|^ip6-(localhost|loopback)$/.test(name);
}

/** A host in lower case, without the brackets of an IPv6 literal and the dot of a fully qualified name. */
export function plainHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.+$/, '');
}

/**
 * True for a name of a host. One that ends in a number is a misspelt address: the URL class would read it as an address.
 * @param name as `plainHost` returns it
 */
export function isHostName(name: string): boolean {
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name) && !/(^|\.)(\d+|0x[0-9a-f]*)$/.test(name);
}

export function isInRange(address: Address, [network, bits]: AddressRange): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}

/** True for an IPv6 address of a range whose addresses carry an IPv4 address. */
export function mayCarryIPv4(address: Address): boolean {
  return isInSome(address, carryingRanges);
}

/** Every IPv4 address that an IPv6 address may carry, by the transition mechanisms that its bits can mean. */
export function embeddedIPv4(address: Address): ipaddr.IPv4[] {
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
  if (!isAnchor && mayCarryIPv4(address) && !begins(0x20, 0x01)) embedded.push(at(12));
  // ISATAP (RFC 5214)
  if ((bytes[8]! & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe)
    embedded.push(at(12));
  return embedded;
}

/** On some cloud, these names serve a machine's identity and credentials. */
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

const metadataRanges = ranges([
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

const carryingRanges = ranges(['::/96', '::ffff:0:0/96', '::ffff:0:0:0/96', '64:ff9b::/96', '2001::/32']);

function isInSome(address: Address, list: readonly AddressRange[]): boolean {
  return list.some((range) => isInRange(address, range));
}

function ranges(texts: readonly string[]): AddressRange[] {
  return texts.map((text) => ipaddr.parseCIDR(text));
}
