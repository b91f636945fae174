import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import {
  type Address,
  type AllowRule,
  embeddedIPv4,
  isInRange,
  isLocalName,
  isMetadataAddress,
  isMetadataName,
  mayCarryIPv4,
  parseAllowList,
  plainHost,
  portOf,
  ruleForm,
} from '#config';
import { LOOPBACK, PRIVATE, RESERVED, specialRangeOf, UNSPECIFIED } from './special-ranges';

export interface AddressPolicyOptions {
  readonly allow: readonly AllowRule[];
  /** `deny`: a private address needs an exception too. By default `allow`, because a model server in the same network is common. */
  readonly privateAddresses?: 'allow' | 'deny';
  /** The port that Tenkey listens on; undefined until it does. */
  readonly ownPort: () => number | undefined;
  /** This machine's addresses. They are read again every second, because interfaces can appear and disappear. */
  readonly ownAddresses?: () => readonly string[];
  /** The addresses at which Tenkey has reached its database. */
  readonly databaseAddresses?: () => Iterable<string>;
}

/**
 * Decides which addresses a tenant's endpoint may have. It is the only classifier of addresses: those that lead to this machine, its
 * database, its link or its cloud host are refused, and so is every range of IANA's special-purpose registries except the private
 * ones (special-ranges.ts), for which EGRESS_PRIVATE decides.
 *
 * EGRESS_ALLOW lists exceptions for all tenants. The list of a single tenant opens private addresses only: the right to change
 * tenants must not be enough to reach Tenkey's own machine.
 */
export class AddressPolicy {
  readonly #options: AddressPolicyOptions;
  #own = new Set<string>();
  #ownReadAt = -Infinity;

  constructor(options: AddressPolicyOptions) {
    this.#options = options;
  }

  /**
   * Checks what needs no name resolution: literal addresses, `localhost` and known metadata names. The URL class has
   * already converted decimal, octal, hexadecimal and shortened spellings to the usual one.
   * @param ofTenant the tenant's own exceptions
   * @returns why the host is refused ("a loopback address"), or undefined
   */
  checkHost(
    url: Pick<URL, 'protocol' | 'hostname' | 'port'>,
    ofTenant?: readonly string[] | null,
  ): string | undefined {
    const host = plainHost(url.hostname);
    const port = portOf(url);
    if (ipaddr.isValid(host)) return this.checkAddress(host, port, undefined, ofTenant);
    if (isMetadataName(host)) return METADATA;
    if (!isLocalName(host) || this.#allowsName(host, port)) return undefined;
    // A rule for 127.0.0.1:8000 covers localhost:8000 too. The address of the connection is checked again.
    return this.checkAddress('127.0.0.1', port) && this.checkAddress('::1', port);
  }

  /**
   * Checks an address before a connection to it is opened.
   * @param host the name that resolved to it, for rules by name
   * @param ofTenant the tenant's own exceptions
   * @returns why the address is refused, or undefined
   */
  checkAddress(
    ip: string,
    port: number,
    host?: string,
    ofTenant?: readonly string[] | null,
  ): string | undefined {
    const bare = ip.split('%')[0] ?? '';
    if (!ipaddr.isValid(bare)) return 'not an IP address';
    const address = ipaddr.process(bare);
    const use = specialUse(address);
    if (use === METADATA) return METADATA;
    const { allow, privateAddresses, ownPort } = this.#options;
    const isOwn = this.#isOwnAddress(address);
    if (port === ownPort() && (isOwn || use === LOOPBACK || use === UNSPECIFIED)) {
      // A rule for all ports does not cover our own port: a call to ourselves would be a loop.
      const named = allow.filter((rule) => rule.port === port);
      return isAllowed(named, address, port, host) ? undefined : "Tenkey's own listener";
    }
    const reason = use === PRIVATE && privateAddresses !== 'deny' ? undefined : use;
    const refusal = isOwn && (reason === undefined || reason === PRIVATE) ? OWN_MACHINE : reason;
    if (refusal === undefined || isAllowed(allow, address, port, host)) return undefined;
    if (refusal === PRIVATE && ofTenant && isAllowed(tenantRulesOf(ofTenant), address, port, host)) {
      return undefined;
    }
    return refusal;
  }

  /** Every interface of this machine and the database, also written in another form. */
  #isOwnAddress(address: Address): boolean {
    const now = performance.now();
    if (now - this.#ownReadAt > OWN_ADDRESSES_MS) {
      const { ownAddresses = interfaceAddresses, databaseAddresses = () => [] } = this.#options;
      this.#own = new Set([...ownAddresses(), ...databaseAddresses()].flatMap(plainAddress));
      this.#ownReadAt = now;
    }
    return (
      this.#own.has(address.toString()) ||
      embeddedIPv4(address).some((each) => this.#own.has(each.toString()))
    );
  }

  #allowsName(host: string, port: number): boolean {
    return this.#options.allow.some((rule) => 'name' in rule && rule.name === host && opensPort(rule, port));
  }
}

const OWN_ADDRESSES_MS = 1000;

const METADATA = 'a metadata address';
const OWN_MACHINE = "an address of Tenkey's own machine or of its database";

/** IPv6 addresses that are neither public nor unique-local are refused, also where no registry names them. */
const unicast = (['2000::/3', 'fc00::/7'] as const).map((text) => ipaddr.parseCIDR(text));

/** @returns what makes the address special, or undefined */
function specialUse(address: Address): string | undefined {
  if (isMetadataAddress(address)) return METADATA;
  const range = specialRangeOf(address);
  if (range?.use === 'refused') return range.description;
  // The packet goes where the IPv4 address inside says, so that one decides.
  const inside = embeddedIPv4(address).flatMap((each) => specialRangeOf(each) ?? []);
  const decisive = inside.find(({ use }) => use === 'refused') ?? inside[0];
  if (decisive !== undefined) return decisive.description;
  if (range?.use === 'private') return range.description;
  if (address.kind() === 'ipv4' || mayCarryIPv4(address)) return undefined;
  return unicast.some((each) => isInRange(address, each)) ? undefined : RESERVED;
}

/**
 * What allows an endpoint that is refused for this reason, as a sentence.
 * @param tenant the request that changes the tenant
 */
export function whatAllows(reason: string, tenant: string): string {
  if (reason === METADATA) return 'Metadata addresses are never allowed.';
  const operator = 'An operator can allow it in EGRESS_ALLOW, e.g. EGRESS_ALLOW=127.0.0.1:8000.';
  if (reason !== PRIVATE) return operator;
  return `EGRESS_PRIVATE=deny refuses private addresses. ${tenant} with its host and port in egress_allow allows this one to the tenant; EGRESS_ALLOW allows it to all tenants.`;
}

/** True for the reason that only EGRESS_PRIVATE makes one. */
export function isPrivate(reason: string): boolean {
  return reason === PRIVATE;
}

const parsedLists = new WeakMap<readonly string[], readonly AllowRule[]>();

/** The rules of a tenant's `egress_allow`. Entries with a fault, which the API refuses, have no effect. */
function tenantRulesOf(list: readonly string[]): readonly AllowRule[] {
  const rules = parsedLists.get(list) ?? parseAllowList(list.join(','), () => undefined);
  parsedLists.set(list, rules);
  return rules;
}

/** What is wrong with a tenant's `egress_allow`, without its text; undefined when it is valid. */
export function faultOfTenantRules(list: readonly string[]): string | undefined {
  for (const [index, entry] of list.entries()) {
    const faults: string[] = [];
    const [rule, ...more] = parseAllowList(entry, (reason) => faults.push(reason));
    if (rule === undefined || more.length + faults.length > 0)
      return `must have entries of the form ${ruleForm}`;
    if ('range' in rule && specialRangeOf(rule.range[0])?.use !== 'private') {
      return `entry ${index + 1} must be a name or a private address: EGRESS_ALLOW has the exceptions for other addresses`;
    }
  }
  return undefined;
}

function isAllowed(
  rules: readonly AllowRule[],
  address: Address,
  port: number,
  host: string | undefined,
): boolean {
  const name = host === undefined ? undefined : plainHost(host);
  return rules.some(
    (rule) => opensPort(rule, port) && ('name' in rule ? rule.name === name : isInRange(address, rule.range)),
  );
}

function opensPort(rule: AllowRule, port: number): boolean {
  return rule.port === undefined || rule.port === port;
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}

/** An address as the policy compares it: without a zone, and IPv4 not written as IPv6. */
function plainAddress(text: string): string[] {
  const bare = text.split('%')[0] ?? '';
  return ipaddr.isValid(bare) ? [ipaddr.process(bare).toString()] : [];
}
