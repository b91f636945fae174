import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import {
  type Address,
  type AddressRange,
  type AllowRule,
  embeddedIPv4,
  isInRange,
  isLocalName,
  isMetadataAddress,
  isMetadataName,
  mayCarryIPv4,
  plainHost,
  portOf,
} from '#config';

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
  checkHost(url: Pick<URL, 'protocol' | 'hostname' | 'port'>): string | undefined {
    const host = plainHost(url.hostname);
    const port = portOf(url);
    if (ipaddr.isValid(host)) return this.checkAddress(host, port);
    if (isMetadataName(host)) return METADATA;
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
    const own = (this.#options.ownAddresses ?? interfaceAddresses)();
    const all = [address, ...embeddedIPv4(address)].map((each) => each.toString());
    return own.some((each) => all.includes(ipaddr.process(each.split('%')[0] ?? '').toString()));
  }

  #allows(address: Address, port: number, host: string | undefined, portNamed: boolean): boolean {
    if (host !== undefined && this.#allowsName(plainHost(host), port, portNamed)) return true;
    return this.#options.allow.some(
      (rule) => 'range' in rule && opensPort(rule, port, portNamed) && isInRange(address, rule.range),
    );
  }

  #allowsName(host: string, port: number, portNamed = false): boolean {
    return this.#options.allow.some(
      (rule) => 'name' in rule && rule.name === host && opensPort(rule, port, portNamed),
    );
  }
}

const METADATA = 'a metadata address';
const LOOPBACK = 'a loopback address';
const UNSPECIFIED = 'an unspecified address';
const LINK_LOCAL = 'a link-local address';
const MULTICAST = 'a multicast address';
const RESERVED = 'a reserved address';

/** IANA IPv4 and IPv6 Special-Purpose Address Registries; the first range that contains an address decides. */
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

const ietfAssignments = ranges(RESERVED, ['2001::/23']);
const unicast = ranges('', ['2000::/3', 'fc00::/7']);

/** @returns why no tenant may use the address, or undefined */
function reasonAgainst(address: Address): string | undefined {
  if (isMetadataAddress(address)) return METADATA;
  const own = find(address, refusedRanges);
  if (own !== undefined || address.kind() === 'ipv4') return own;
  // The packet goes where the IPv4 address inside says, so that one decides.
  for (const each of embeddedIPv4(address)) {
    const reason = find(each, refusedRanges);
    if (reason !== undefined) return reason;
  }
  if (mayCarryIPv4(address)) return undefined;
  return find(address, ietfAssignments) ?? (find(address, unicast) === undefined ? RESERVED : undefined);
}

function ranges(reason: string, texts: string[]): { reason: string; range: AddressRange }[] {
  return texts.map((text) => ({ reason, range: ipaddr.parseCIDR(text) }));
}

function find(
  address: Address,
  list: readonly { reason: string; range: AddressRange }[],
): string | undefined {
  return list.find(({ range }) => isInRange(address, range))?.reason;
}

function opensPort(rule: AllowRule, port: number, portNamed: boolean): boolean {
  return rule.port === port || (rule.port === undefined && !portNamed);
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
