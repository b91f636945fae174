import ipaddr from 'ipaddr.js';
import { type Address, type AddressRange, isInRange } from '#config';

/**
 * What a range means for an endpoint. `private`: a network of one's own, which EGRESS_PRIVATE decides about. `carrier`: the packet
 * goes to an IPv4 address inside the address, and that one decides. `refused`: no provider is there.
 */
type Use = 'private' | 'carrier' | 'refused';

export interface SpecialRange {
  /** As the registry has it. */
  readonly name: string;
  readonly range: AddressRange;
  readonly use: Use;
  /** What the address is, as problems and findings say it. */
  readonly description: string;
}

export const UNSPECIFIED = 'an unspecified address';
const LINK_LOCAL = 'a link-local address';
const MULTICAST = 'a multicast address';
export const LOOPBACK = 'a loopback address';
export const PRIVATE = 'a private address';
export const RESERVED = 'a reserved address';

/**
 * Every range of IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), and the multicast ranges, which have registries
 * of their own. ipaddr.js knows most of these ranges, but not all, and neither their names nor which of them carry another address.
 * Ranges for services of the network, such as AS112, are refused although they can be reached from everywhere: they are not model
 * servers.
 */
export const specialRanges: readonly SpecialRange[] = [
  special('This network', '0.0.0.0/8', 'refused', UNSPECIFIED),
  special('This host on this network', '0.0.0.0/32', 'refused', UNSPECIFIED),
  special('Private-Use', '10.0.0.0/8', 'private', PRIVATE),
  special('Shared Address Space', '100.64.0.0/10', 'private', PRIVATE),
  special('Loopback', '127.0.0.0/8', 'refused', LOOPBACK),
  special('Link Local', '169.254.0.0/16', 'refused', LINK_LOCAL),
  special('Private-Use', '172.16.0.0/12', 'private', PRIVATE),
  special('IETF Protocol Assignments', '192.0.0.0/24', 'refused'),
  special('IPv4 Service Continuity Prefix', '192.0.0.0/29', 'refused'),
  special('IPv4 dummy address', '192.0.0.8/32', 'refused'),
  special('Port Control Protocol Anycast', '192.0.0.9/32', 'refused'),
  special('Traversal Using Relays around NAT Anycast', '192.0.0.10/32', 'refused'),
  special('NAT64/DNS64 Discovery', '192.0.0.170/32', 'refused'),
  special('NAT64/DNS64 Discovery', '192.0.0.171/32', 'refused'),
  special('Documentation (TEST-NET-1)', '192.0.2.0/24', 'refused'),
  special('AS112-v4', '192.31.196.0/24', 'refused'),
  special('AMT', '192.52.193.0/24', 'refused'),
  special('Deprecated (6to4 Relay Anycast)', '192.88.99.0/24', 'refused'),
  special('6a44-relay anycast address', '192.88.99.2/32', 'refused'),
  special('Private-Use', '192.168.0.0/16', 'private', PRIVATE),
  special('Direct Delegation AS112 Service', '192.175.48.0/24', 'refused'),
  special('Benchmarking', '198.18.0.0/15', 'refused'),
  special('Documentation (TEST-NET-2)', '198.51.100.0/24', 'refused'),
  special('Documentation (TEST-NET-3)', '203.0.113.0/24', 'refused'),
  special('Multicast', '224.0.0.0/4', 'refused', MULTICAST),
  special('Reserved', '240.0.0.0/4', 'refused'),
  special('Limited Broadcast', '255.255.255.255/32', 'refused', 'the broadcast address'),

  special('Loopback Address', '::1/128', 'refused', LOOPBACK),
  special('Unspecified Address', '::/128', 'refused', UNSPECIFIED),
  special('IPv4-mapped Address', '::ffff:0:0/96', 'carrier'),
  special('IPv4-IPv6 Translat.', '64:ff9b::/96', 'carrier'),
  special('IPv4-IPv6 Translat.', '64:ff9b:1::/48', 'refused'),
  special('Discard-Only Address Block', '100::/64', 'refused'),
  special('Dummy IPv6 Prefix', '100:0:0:1::/64', 'refused'),
  special('IETF Protocol Assignments', '2001::/23', 'refused'),
  special('TEREDO', '2001::/32', 'carrier'),
  special('Port Control Protocol Anycast', '2001:1::1/128', 'refused'),
  special('Traversal Using Relays around NAT Anycast', '2001:1::2/128', 'refused'),
  special('DNS-SD Service Registration Protocol Anycast', '2001:1::3/128', 'refused'),
  special('Benchmarking', '2001:2::/48', 'refused'),
  special('AMT', '2001:3::/32', 'refused'),
  special('AS112-v6', '2001:4:112::/48', 'refused'),
  special('Deprecated (previously ORCHID)', '2001:10::/28', 'refused'),
  special('ORCHIDv2', '2001:20::/28', 'refused'),
  special('Drone Remote ID Protocol Entity Tags (DETs) Prefix', '2001:30::/28', 'refused'),
  special('Documentation', '2001:db8::/32', 'refused'),
  special('6to4', '2002::/16', 'carrier'),
  special('Direct Delegation AS112 Service', '2620:4f:8000::/48', 'refused'),
  special('Documentation', '3fff::/20', 'refused'),
  special('Segment Routing (SRv6) SIDs', '5f00::/16', 'refused'),
  special('Unique-Local', 'fc00::/7', 'private', PRIVATE),
  special('Link-Local Unicast', 'fe80::/10', 'refused', LINK_LOCAL),
  special('Multicast', 'ff00::/8', 'refused', MULTICAST),
];

const mostSpecificFirst = {
  ipv4: specialRanges.filter(({ range }) => range[0].kind() === 'ipv4').sort(bySize),
  ipv6: specialRanges.filter(({ range }) => range[0].kind() === 'ipv6').sort(bySize),
};

/** The smallest special range that contains the address, or undefined. */
export function specialRangeOf(address: Address): SpecialRange | undefined {
  return mostSpecificFirst[address.kind()].find(({ range }) => isInRange(address, range));
}

function special(name: string, text: string, use: Use, description = `${RESERVED} (${name})`): SpecialRange {
  return { name, range: ipaddr.parseCIDR(text), use, description };
}

function bySize(a: SpecialRange, b: SpecialRange): number {
  return b.range[1] - a.range[1];
}
